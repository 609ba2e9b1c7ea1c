import { formatBytes, formatDuration } from "../../../config/units.ts";
import { EngineLoadError } from "../../../engine/loaderror.ts";
import type { Logger } from "../../../lib/log.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { Waiters } from "../../../lib/waiters.ts";
import { decideRoom, type RoomQuestion, type Tenant } from "./decision.ts";

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

/** Memory for engines. */
export interface MemoryBudget {
  bytes: number;
  /** Nobody set it. */
  isGuess: boolean;
}

export interface RoomOptions {
  /** Memory that all engines may have together. Asked before the first one starts. */
  budget(): Promise<MemoryBudget>;
  /** Most engines at the same time. */
  enginesMax: number;
  log: Logger;
  nowMs(): number;
  /** How long engines with work may go on while another one waits for their memory. */
  patienceMs?: number;
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
  #budget: Promise<MemoryBudget> | undefined;
  readonly #tenants = new Map<string, { resident: Resident; bytes: number }>();
  readonly #asking = new Mutex();
  #evictions = 0;
  /** Whether an engine has become idle or has ended. */
  readonly #changed = new Waiters();

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
  }

  /** Engines that were ended for others so far. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Memory that all engines may have together, and that they have, in bytes. */
  async usage(): Promise<{ budgetBytes: number; usedBytes: number }> {
    const { bytes } = await this.#budgetOnce();
    return { budgetBytes: bytes, usedBytes: this.#usedBytes() };
  }

  /** What the engine with this key has, in bytes; undefined if it has nothing. */
  bytesOf(key: string): number | undefined {
    return this.#tenants.get(key)?.bytes;
  }

  /**
   * Reserves memory for an engine; the one with the same key gives its own back. Waits at most
   * `waitMs` for others to end. Throws `EngineLoadError`: `no_room` if they do not, and
   * `too_large` if there will never be enough.
   */
  async reserve(
    key: string,
    resident: Resident,
    { bytes, waitMs, signal }: { bytes: number; waitMs: number; signal?: AbortSignal },
  ): Promise<void> {
    const release = await this.#asking.acquire();
    try {
      this.#tenants.delete(key);
      await this.#makeRoom(resident, { bytes, waitMs, ...(signal && { signal }) });
      this.#tenants.set(key, { resident, bytes });
    } finally {
      release();
    }
  }

  /** An engine turned out to take more than was reserved. */
  measured(key: string, bytes: number): void {
    const tenant = this.#tenants.get(key);
    if (tenant !== undefined) tenant.bytes = Math.max(tenant.bytes, bytes);
  }

  /** An engine has ended, or could not be started. */
  release(key: string): void {
    this.#tenants.delete(key);
    this.#changed.wakeAll();
  }

  /** An engine has nothing more to do. */
  becameIdle(): void {
    this.#changed.wakeAll();
  }

  async #makeRoom(
    resident: Resident,
    { bytes, waitMs, signal }: { bytes: number; waitMs: number; signal?: AbortSignal },
  ): Promise<void> {
    const { nowMs, log } = this.#options;
    const startMs = nowMs();
    for (;;) {
      signal?.throwIfAborted();
      const question = await this.#question(bytes);
      const decision = decideRoom(question);
      if (decision.do === "start") return;
      if (decision.do === "refuse") throw await this.#tooLarge(resident, bytes, decision.bytes);
      if (decision.do === "end") {
        await this.#end(decision.keys, resident);
        continue;
      }
      const waitedMs = nowMs() - startMs;
      if (waitedMs >= waitMs) throw this.#noRoom(resident, bytes, waitedMs);
      if (waitedMs >= this.#patienceMs) this.#holdBack(question);
      const untilMs = waitedMs < this.#patienceMs ? Math.min(waitMs, this.#patienceMs) : waitMs;
      if (waitedMs === 0) log.info({ model: resident.label, bytes }, "engine.waits_for_room");
      await this.#changed.wait({ timeoutMs: untilMs - waitedMs, ...(signal && { signal }) });
    }
  }

  async #question(needBytes: number): Promise<RoomQuestion> {
    const { bytes: budgetBytes, isGuess } = await this.#budgetOnce();
    const freeBytes = budgetBytes - this.#usedBytes();
    const tenants = Array.from(
      this.#tenants,
      ([key, { resident, bytes }]): Tenant => ({
        ...{ key, bytes, isBusy: resident.isBusy, isPinned: resident.isPinned },
        ...{ usedMs: resident.usedMs, loadMs: resident.loadMs },
      }),
    );
    const { enginesMax: tenantsMax, nowMs } = this.#options;
    return { needBytes, freeBytes, isGuess, tenants, tenantsMax, nowMs: nowMs() };
  }

  /** Of those whose memory is needed no more requests are taken than could be idle as well. */
  #holdBack(question: RoomQuestion): void {
    const tenants = question.tenants.map((tenant) => ({ ...tenant, isBusy: false }));
    const decision = decideRoom({ ...question, tenants });
    if (decision.do !== "end") return;
    for (const key of decision.keys) this.#tenants.get(key)?.resident.holdBack();
  }

  async #end(keys: string[], reason: Resident): Promise<void> {
    const residents = keys.flatMap((key) => this.#tenants.get(key)?.resident ?? []);
    const ended = residents.map(({ label }) => label);
    this.#options.log.info({ model: reason.label, ended }, "engine.makes_room");
    this.#evictions += residents.length;
    await Promise.all(residents.map((resident) => resident.unload()));
    for (const key of keys) this.#tenants.delete(key);
  }

  #usedBytes(): number {
    return [...this.#tenants.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #budgetOnce(): Promise<MemoryBudget> {
    this.#budget ??= this.#options.budget();
    return this.#budget;
  }

  #noRoom({ label }: Resident, bytes: number, waitedMs: number): EngineLoadError {
    const holders = [...this.#tenants.values()].map(({ resident }) => resident.label).join(", ");
    const message = `It takes about ${formatBytes(bytes)}, and for ${formatDuration(waitedMs)} \
${holders} had work all the time. Ask again later.`;
    return new EngineLoadError("no_room", `Loading ${label} has to wait: ${message}`);
  }

  async #tooLarge({ label }: Resident, bytes: number, most: number): Promise<EngineLoadError> {
    const budget = formatBytes((await this.#budgetOnce()).bytes);
    const pinned = [...this.#tenants.values()].filter(({ resident }) => resident.isPinned);
    const names = pinned.map(({ resident }) => resident.label).join(", ");
    const why = names === "" ? "" : ` (${names} stay loaded)`;
    const message = `${label} takes about ${formatBytes(bytes)}, but of ${budget} for all models \
at most ${formatBytes(most)} can be had${why}. Lower --ctx-size or --parallel, take a smaller \
quantization, or raise --models-memory.`;
    return new EngineLoadError("too_large", message);
  }
}
