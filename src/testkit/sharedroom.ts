import { jest } from "bun:test";
import type { Engine } from "../engine/engine.ts";
import { createLogger } from "../lib/log.ts";
import { SupervisedEngine } from "../node/supervisor/engine.ts";
import { Ledger } from "../node/supervisor/room/ledger.ts";
import { HOST, type Memory } from "../node/supervisor/room/memory.ts";
import { Room } from "../node/supervisor/room/room.ts";

const log = createLogger({ level: "silent" });
/** What the chain of promises behind one timer takes at most. */
const TURNS = 60;

export interface SharedRoomOptions {
  /** How many of the models have room at once; each takes as much as any other. */
  places: number;
  /** How long each model's load takes, by its name. */
  loadMs: Readonly<Record<string, number>>;
  /** Longest wait for room. Default: 10 minutes. */
  waitMs?: number;
}

/**
 * Engines that share a room, whose loads and requests take simulated time: for tests of who gets
 * the memory when. Needs fake timers.
 */
export class SharedRoom {
  readonly room: Room;
  readonly engines = new Map<string, SupervisedEngine>();
  /** The models that were loaded, in their order. */
  readonly loads: string[] = [];
  /** Most engines that were loaded at the same time. */
  loadedMax = 0;
  #loaded = 0;

  constructor({ places, loadMs, waitMs = 600_000 }: SharedRoomOptions) {
    const read = async () => ({ free: { [HOST]: places }, size: {} });
    const ledger = new Ledger({ setBytes: places, read });
    const enginesMax = Number.POSITIVE_INFINITY;
    this.room = new Room({ ledger, enginesMax, log, nowMs: Date.now });
    for (const [name, ms] of Object.entries(loadMs)) {
      this.engines.set(name, this.#engine(name, ms, waitMs));
    }
  }

  /** Asks a model, which works on it for `workMs`; resolves with how long that had to wait. */
  async ask(name: string, workMs: number): Promise<number> {
    const engine = this.engines.get(name);
    if (engine === undefined) throw new Error(`no model ${name}`);
    const { signal } = new AbortController();
    const startMs = Date.now();
    const lease = await engine.acquire({ signal, waitMs: 3_600_000 });
    const waitedMs = Date.now() - startMs;
    await new Promise((resolve) => setTimeout(resolve, workMs));
    lease.release();
    return waitedMs;
  }

  #engine(name: string, loadMs: number, waitMs: number): SupervisedEngine {
    const need: Memory = { [HOST]: 1 };
    const { room } = this;
    return new SupervisedEngine({
      ...{ modelId: name, label: name, home: "", loadTimeoutMs: 1e9, log, nowMs: Date.now },
      args: () => [],
      room: {
        shortened: undefined,
        memory: need,
        args: () => [],
        reserve: (engine, _, signal) => room.reserve(name, engine, { need, waitMs, signal }),
        loaded: () => room.measured(name, need),
        release: () => room.release(name),
      },
      isPinned: () => false,
      keepAliveMs: Number.POSITIVE_INFINITY,
      onIdle: () => room.becameIdle(),
      locate: async () => ({ path: name, fingerprint: name, pooling: undefined }),
      launch: () => this.#launch(name, loadMs),
    });
  }

  async #launch(name: string, loadMs: number): Promise<Engine> {
    this.loads.push(name);
    this.#loaded += 1;
    this.loadedMax = Math.max(this.loadedMax, this.#loaded);
    await new Promise((resolve) => setTimeout(resolve, loadMs));
    const { promise: exited, resolve } = Promise.withResolvers<{
      expected: boolean;
      message: string;
    }>();
    const stop = async () => {
      this.#loaded -= 1;
      resolve({ expected: true, message: "stopped" });
    };
    const info = { slots: 1, contextTokens: 1, parameters: 1, sizeBytes: 1 };
    const can = { vision: false, audio: false, embeddings: false };
    const target = () => ({ url: "", label: name });
    return { pid: 2 ** 30, info: { ...info, ...can }, target, exited, stop };
  }
}

/** Lets simulated time pass, and all happen that is due in it. */
export async function pass(ms: number, stepMs = 100): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    jest.advanceTimersByTime(stepMs);
    for (let i = 0; i < TURNS; i += 1) await Promise.resolve();
  }
}
