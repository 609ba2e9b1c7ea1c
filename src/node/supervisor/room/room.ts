import type { Logger } from "../../../lib/log.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { Waiters } from "../../../lib/waiters.ts";
import { decideRoom, type RoomQuestion, type Tenant } from "./decision.ts";
import type { Balance, Ledger } from "./ledger.ts";
import { bytesIn, HOST, type Memory, mapMemory, sumOf, totalOf, withMore } from "./memory.ts";
import { PREDECESSOR, PREDECESSOR_KEY } from "./predecessor.ts";
import { noRoomError, tooLargeError } from "./roomerror.ts";

/** An engine as far as room is made of it. */
export interface Resident {
  /** Its name in errors and logs. */
  readonly label: string;
  readonly isBusy: boolean;
  readonly isPinned: boolean;
  /** When a request used it last, in ms. */
  readonly usedMs: number;
  /** How long its load took, in ms. */
  readonly loadMs: number;
  /** When it was loaded, in ms; undefined while it is not. */
  readonly readySinceMs: number | undefined;
  /** Lets no further request in: those that come wait until it has ended, and then start it. */
  holdBack(): void;
  /** Takes that back. */
  letIn(): void;
  /** Holds back and ends its process, which must be idle; who comes meanwhile starts it again. */
  unload(): Promise<void>;
}

export interface RoomOptions {
  ledger: Ledger;
  /** Most engines at the same time. */
  enginesMax: number;
  log: Logger;
  nowMs(): number;
}

/** Beyond it, it was the estimate of that one model that was wrong. */
const SURPLUS_BYTES_MAX = 512 * 1024 ** 2;

/** What an engine asks for. */
export interface Reservation {
  need: Memory;
  /** Longest wait for others to end. */
  waitMs: number;
  signal?: AbortSignal;
}

/** How long an engine with work may go on while another one waits for its memory. */
const TURN_MS_MIN = 5000;
/** An engine that took longer to load may go on for as long after it, but not beyond this. */
const TURN_MS_MAX = 60_000;

/**
 * The memory of a node, which its engines share. An engine that is to be started asks for room
 * first; engines that nobody uses are ended for it (`decision.ts`). Loads ask in the order in which
 * they came, so a model never waits behind one that was asked for later.
 *
 * Where memory is short and requests for several models mix, each gets its turn. While an engine
 * waits for the memory of busy ones, these go on with what comes until their turn is over: for 5 s
 * more, and at least as long after their load as that took, up to 60 s. From then on their new
 * requests wait, what runs is finished, and they are ended. So a model waits, for each model that
 * has its memory or was asked for before it, at most one load, one turn and the longest running
 * request; between two loads a model serves all that has gathered for it; and no more than half of
 * the time goes into loads that take up to a minute.
 */
export class Room {
  readonly #options: RoomOptions;
  readonly #ledger: Ledger;
  readonly #residents = new Map<string, Resident>();
  readonly #asking = new Mutex();
  /** The memories that there are. */
  #names = new Set([HOST]);
  #evictions = 0;
  #surplusBytes = 0;
  /** Whether an engine has become idle or has ended. */
  readonly #changed = new Waiters();

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
  }

  /** How much of the host's memory an engine may take beyond its estimate: its process, drivers. */
  get surplusBytes(): number {
    return this.#surplusBytes;
  }

  /** An engine took so much more than was estimated. */
  learnSurplus(bytes: number): void {
    this.#surplusBytes = Math.min(SURPLUS_BYTES_MAX, Math.max(this.#surplusBytes, bytes));
  }

  /** Engines that were ended for others so far. */
  get evictions(): number {
    return this.#evictions;
  }

  /** What engines may have of each memory, and what they have. */
  async usage(): Promise<{ budget: Memory; used: Memory }> {
    return { budget: await this.#ledger.budget(), used: this.#ledger.used };
  }

  /** What the engine with this key has; undefined if it has nothing. */
  memoryOf(key: string): Memory | undefined {
    return this.#ledger.get(key);
  }

  /** Whether a memory is one of this node's. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** What the engine with this key could have of each memory, were all ended that may be. */
  async most(key: string): Promise<Memory> {
    const { free } = await this.#balance();
    const movable = [...this.#residents].filter(([one, { isPinned }]) => one === key || !isPinned);
    return withMore(free, sumOf(movable.map(([one]) => this.#ledger.get(one) ?? {})));
  }

  /**
   * Reserves memory for an engine; the one with the same key gives its own back. Waits at most
   * `waitMs` for others to end. Throws `EngineLoadError`: `no_room` if they do not, and
   * `too_large` if there will never be enough.
   */
  async reserve(key: string, resident: Resident, reservation: Reservation): Promise<void> {
    const release = await this.#asking.acquire();
    try {
      this.#remove(key);
      await this.#makeRoom(resident, reservation);
      this.#residents.set(key, resident);
      this.#ledger.set(key, reservation.need);
    } finally {
      release();
    }
  }

  /** An engine is loaded, and what it takes turned out to be this. */
  measured(key: string, memory: Memory): void {
    if (this.#residents.has(key)) this.#ledger.set(key, memory);
    this.#changed.wakeAll(); // Its turn has begun.
  }

  /**
   * Another process, whose place this one takes, has engines with so much memory, and will end
   * them: loads wait for it as for busy engines. Nothing: they have ended.
   */
  occupy(memory: Memory): void {
    if (totalOf(memory) > 0) {
      this.#residents.set(PREDECESSOR_KEY, PREDECESSOR);
      this.#ledger.set(PREDECESSOR_KEY, memory);
    } else this.#remove(PREDECESSOR_KEY);
    this.#changed.wakeAll();
  }

  /** An engine has ended, or could not be started. */
  release(key: string): void {
    this.#remove(key);
    this.#changed.wakeAll();
  }

  /** An engine has nothing more to do. */
  becameIdle(): void {
    this.#changed.wakeAll();
  }

  async #makeRoom(resident: Resident, reservation: Reservation): Promise<void> {
    const held = new Set<string>();
    try {
      await this.#waitForRoom(resident, reservation, held);
    } finally {
      // Those that have not ended are not needed for it, or it has given up.
      for (const key of held) this.#residents.get(key)?.letIn();
    }
  }

  async #waitForRoom(
    resident: Resident,
    { need, waitMs, signal }: Reservation,
    held: Set<string>,
  ): Promise<void> {
    const { nowMs, log } = this.#options;
    const startMs = nowMs();
    // What others take meanwhile counts at the next load: readings take their time.
    const balance = await this.#balance();
    const had = this.#ledger.used;
    for (;;) {
      signal?.throwIfAborted();
      const question = this.#question(need, balance, had);
      const decision = decideRoom(question);
      if (decision.do === "start") return;
      if (decision.do === "refuse") {
        throw tooLargeError(resident, need, { ...balance, ...decision, ...this.#holders() });
      }
      if (decision.do === "end") {
        await this.#end(decision.keys, resident);
        continue;
      }
      const waitedMs = nowMs() - startMs;
      if (waitedMs >= waitMs) {
        throw noRoomError(resident, question, { waitedMs, ...this.#holders() });
      }
      if (waitedMs === 0) log.info({ model: resident.label, need }, "engine.waits_for_room");
      const turnMs = this.#holdBack(question, startMs, held);
      const timeoutMs = Math.min(waitMs - waitedMs, turnMs);
      await this.#changed.wait({ timeoutMs, ...(signal && { signal }) });
    }
  }

  async #balance(): Promise<Balance> {
    const balance = await this.#ledger.balance();
    this.#names = new Set([HOST, ...Object.keys(balance.budget)]);
    return balance;
  }

  /** `had`: what all engines had at the time of the balance. */
  #question(need: Memory, { free, guessed }: Balance, had: Memory): RoomQuestion {
    const { used } = this.#ledger;
    const tenants = Array.from(
      this.#residents,
      ([key, resident]): Tenant => ({
        ...{ key, memory: this.#ledger.get(key) ?? {} },
        ...{ isBusy: resident.isBusy, isPinned: resident.isPinned },
        ...{ usedMs: resident.usedMs, loadMs: resident.loadMs },
      }),
    );
    const freeNow = mapMemory(free, (bytes, name) => {
      return bytes + bytesIn(had, name) - bytesIn(used, name);
    });
    const { enginesMax, nowMs } = this.#options;
    // Those of another process are beside the number that there may be.
    const tenantsMax = enginesMax + (this.#residents.has(PREDECESSOR_KEY) ? 1 : 0);
    return { need, free: freeNow, guessed, tenants, tenantsMax, nowMs: nowMs() };
  }

  /**
   * Lets no more requests in to those whose memory is needed and whose turn is over. Returns after
   * how many ms the turn of the next one is.
   */
  #holdBack(question: RoomQuestion, startMs: number, held: Set<string>): number {
    // Those that are held back already stay chosen.
    const tenants = question.tenants.map((tenant) => ({
      ...{ ...tenant, isBusy: false },
      ...(held.has(tenant.key) ? { usedMs: Number.NEGATIVE_INFINITY } : {}),
    }));
    const decision = decideRoom({ ...question, tenants });
    let nextMs = Number.POSITIVE_INFINITY;
    for (const key of decision.do === "end" ? decision.keys : []) {
      const resident = this.#residents.get(key);
      const leftMs = resident === undefined ? 0 : turnEndMs(resident, startMs) - question.nowMs;
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else if (!held.has(key)) {
        resident?.holdBack();
        held.add(key);
      }
    }
    return nextMs;
  }

  async #end(keys: string[], reason: Resident): Promise<void> {
    const residents = keys.flatMap((key) => this.#residents.get(key) ?? []);
    const ended = residents.map(({ label }) => label);
    this.#options.log.info({ model: reason.label, ended }, "engine.makes_room");
    this.#evictions += residents.length;
    await Promise.all(residents.map((resident) => resident.unload()));
    for (const key of keys) this.#remove(key);
  }

  #holders(): { residents: Resident[]; enginesMax: number } {
    return { residents: [...this.#residents.values()], enginesMax: this.#options.enginesMax };
  }

  #remove(key: string): void {
    this.#residents.delete(key);
    this.#ledger.delete(key);
  }
}

/** Until when an engine may go on that another one waits for since `startMs`. */
function turnEndMs({ readySinceMs, loadMs }: Resident, startMs: number): number {
  if (readySinceMs === undefined) return Number.POSITIVE_INFINITY; // It wakes us when it is loaded.
  const turnMs = Math.min(TURN_MS_MAX, Math.max(TURN_MS_MIN, loadMs));
  return Math.max(startMs + TURN_MS_MIN, readySinceMs + turnMs);
}
