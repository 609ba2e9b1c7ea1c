import { formatBytes, formatDuration } from "../../../config/units.ts";
import { EngineLoadError } from "../../../engine/loaderror.ts";
import type { Logger } from "../../../lib/log.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { Waiters } from "../../../lib/waiters.ts";
import { decideRoom, type RoomQuestion, type Tenant } from "./decision.ts";
import type { Balance, Ledger } from "./ledger.ts";
import { ALL, bytesIn, HOST, type Memory, mapMemory, sumOf, totalOf } from "./memory.ts";

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
  /** Lets no further request in: those that come wait until it has ended, and then start it. */
  holdBack(): void;
  /** Holds back and ends its process, which must be idle; who comes meanwhile starts it again. */
  unload(): Promise<void>;
}

export interface RoomOptions {
  ledger: Ledger;
  /** Most engines at the same time. */
  enginesMax: number;
  log: Logger;
  nowMs(): number;
  /** How long engines with work may go on while another one waits for their memory. */
  patienceMs?: number;
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

const PATIENCE_MS = 5000;

/**
 * The memory of a node, which its engines share. An engine that is to be started asks for room
 * first; engines that nobody uses are ended for it (`decision.ts`). Loads ask in the order in which
 * they came, so a model never waits behind one that was asked for later.
 *
 * Where memory is short and requests for several models mix, each gets its turn: while an engine
 * waits for the memory of busy ones, these go on with what comes for `patienceMs`; from then on
 * their new requests wait, what runs is finished, and they are ended. So a model waits at most
 * `patienceMs` and the longest running request for each model that came before, and between two
 * loads a model serves all that has gathered for it.
 */
export class Room {
  readonly #options: RoomOptions;
  readonly #patienceMs: number;
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
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
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
    const more = sumOf(movable.map(([one]) => this.#ledger.get(one) ?? {}));
    return mapMemory(free, (bytes, name) => bytes + bytesIn(more, name));
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

  /** What an engine takes turned out to be this. */
  measured(key: string, memory: Memory): void {
    if (this.#residents.has(key)) this.#ledger.set(key, memory);
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
    const { need, waitMs, signal } = reservation;
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
        throw this.#tooLarge(resident, need, { ...balance, ...decision });
      }
      if (decision.do === "end") {
        await this.#end(decision.keys, resident);
        continue;
      }
      const waitedMs = nowMs() - startMs;
      if (waitedMs >= waitMs) throw this.#noRoom(resident, question, waitedMs);
      if (waitedMs >= this.#patienceMs) this.#holdBack(question);
      const untilMs = waitedMs < this.#patienceMs ? Math.min(waitMs, this.#patienceMs) : waitMs;
      if (waitedMs === 0) log.info({ model: resident.label, need }, "engine.waits_for_room");
      await this.#changed.wait({ timeoutMs: untilMs - waitedMs, ...(signal && { signal }) });
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
    const { enginesMax: tenantsMax, nowMs } = this.#options;
    return { need, free: freeNow, guessed, tenants, tenantsMax, nowMs: nowMs() };
  }

  /** Of those whose memory is needed no more requests are taken than could be idle as well. */
  #holdBack(question: RoomQuestion): void {
    const tenants = question.tenants.map((tenant) => ({ ...tenant, isBusy: false }));
    const decision = decideRoom({ ...question, tenants });
    if (decision.do !== "end") return;
    for (const key of decision.keys) this.#residents.get(key)?.holdBack();
  }

  async #end(keys: string[], reason: Resident): Promise<void> {
    const residents = keys.flatMap((key) => this.#residents.get(key) ?? []);
    const ended = residents.map(({ label }) => label);
    this.#options.log.info({ model: reason.label, ended }, "engine.makes_room");
    this.#evictions += residents.length;
    await Promise.all(residents.map((resident) => resident.unload()));
    for (const key of keys) this.#remove(key);
  }

  #remove(key: string): void {
    this.#residents.delete(key);
    this.#ledger.delete(key);
  }

  #noRoom({ label }: Resident, { need, free }: RoomQuestion, waitedMs: number): EngineLoadError {
    const holders = [...this.#residents.values()].map((one) => one.label).join(", ");
    const message = `It takes about ${memoryText(need)}, of which ${freeText(need, free)} are \
free, and for ${formatDuration(waitedMs)} ${holders} had work all the time. Ask again later.`;
    return new EngineLoadError("no_room", `Loading ${label} has to wait: ${message}`);
  }

  #tooLarge(
    { label }: Resident,
    need: Memory,
    { budget, memory, bytes }: { budget: Memory; memory?: string; bytes: number },
  ): EngineLoadError {
    const pinned = [...this.#residents.values()].filter(({ isPinned }) => isPinned);
    const names = pinned.map((one) => one.label).join(", ");
    if (memory === undefined) {
      const places = `at most ${this.#options.enginesMax} models are loaded (--models-max)`;
      const message = `There is no place for ${label}: ${places}, and ${names} stay loaded.`;
      return new EngineLoadError("too_large", message);
    }
    const why = names === "" ? "" : ` (${names} stay loaded)`;
    const where = memory === ALL ? "" : ` in the memory of ${memory}`;
    const message = `${label} takes about ${formatBytes(bytesIn(need, memory))}${where}, but of \
${formatBytes(budget[memory] ?? 0)} for all models at most ${formatBytes(bytes)} can be had${why}. \
Lower --ctx-size or --parallel, take a smaller quantization, or raise --models-memory.`;
    return new EngineLoadError("too_large", message);
  }
}

/** What an engine needs, in words. */
function memoryText(need: Memory): string {
  const parts = Object.entries(need).filter(([, bytes]) => bytes > 0);
  const named = parts.map(([name, bytes]) => `${formatBytes(bytes)} of ${name}`).join(", ");
  return parts.length > 1 ? `${formatBytes(totalOf(need))} (${named})` : formatBytes(totalOf(need));
}

/** What is free of the memories that it needs, in words. */
function freeText(need: Memory, free: Memory): string {
  const asked = Object.entries(free).filter(([name]) => bytesIn(need, name) > 0);
  const text = (name: string) => (asked.length > 1 ? ` of ${name}` : "");
  return asked.map(([name, bytes]) => formatBytes(Math.max(0, bytes)) + text(name)).join(", ");
}
