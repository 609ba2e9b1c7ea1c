import { readFileSync } from "node:fs";
import type { EngineInfo } from "../../../engine/engine.ts";
import type { ModelFiles } from "../../models/modelfiles.ts";
import { engineMemory } from "./enginememory.ts";
import type { Resident, Room } from "./room.ts";

export interface EngineRoomOptions {
  /** Of the engine among a node's. */
  key: string;
  /** The engine's llama-server arguments. */
  args(files: ModelFiles): string[];
  /** Longest wait for others to end. */
  waitMs: number;
}

/** One engine's part of a room: estimated before its load, and better known after it. */
export class EngineRoom {
  readonly #room: Room;
  readonly #options: EngineRoomOptions;

  constructor(room: Room, options: EngineRoomOptions) {
    this.#room = room;
    this.#options = options;
  }

  /** Waits until there is memory for it. Throws `EngineLoadError` if there will be none. */
  async reserve(engine: Resident, files: ModelFiles, signal: AbortSignal): Promise<void> {
    const { key, args, waitMs } = this.#options;
    const bytes = await engineMemory(files, args(files));
    await this.#room.reserve(key, engine, { bytes, waitMs, signal });
  }

  /**
   * It is loaded: what it takes is known better. Without `--ctx-size`, llama.cpp takes as much
   * context as fits: only now it is known.
   */
  async loaded(files: ModelFiles, { slots, contextTokens }: EngineInfo, pid: number) {
    const { key, args } = this.#options;
    const context = ["--ctx-size", String(slots * contextTokens), "--parallel", String(slots)];
    const bytes = await engineMemory(files, [...args(files), ...context]);
    this.#room.measured(key, Math.max(bytes, ownBytes(pid)));
  }

  release(): void {
    this.#room.release(this.#options.key);
  }
}

/** The memory of a process itself, without the files that it has mapped (proc(5), status). */
function ownBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, kib] = /^RssAnon:\s*(\d+) kB$/m.exec(status) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0; // Another system, or the process has just ended.
  }
}
