import type { EngineInfo } from "../../../engine/engine.ts";
import type { Logger } from "../../../lib/log.ts";
import { privateBytesOf } from "../../../lib/processmemory.ts";
import type { ShortenedModel } from "../../../wire/system.ts";
import type { ModelFiles } from "../../models/modelfiles.ts";
import { joinArguments } from "../argumentlist.ts";
import { type EngineFit, fitEngine } from "./enginefit.ts";
import { type ModelSize, readModelSize } from "./enginememory.ts";
import type { Fit } from "./fit.ts";
import { isLent, withLent, withoutLent } from "./lent.ts";
import { bytesIn, fitsInto, HOST, type Memory, sumOf } from "./memory.ts";
import type { Resident, Room } from "./room.ts";

export interface EngineRoomOptions {
  /** Of the engine among a node's. */
  key: string;
  /** The engine's llama-server arguments. */
  args(files: ModelFiles): string[];
  /** What may be changed of them so that it fits. */
  fit: Fit | undefined;
  /** Whether no other model will need the memory. */
  isAlone(): boolean;
  /** What devices of other hosts have free for it, by llama.cpp's names. Default: it uses none. */
  lent?: ((modelPath: string, signal: AbortSignal) => Promise<Memory>) | undefined;
  /** Longest wait for others to end. */
  waitMs: number;
  log: Logger;
}

/** What an engine took when it was loaded like this. */
interface Measurement {
  files: string;
  args: string;
  memory: Memory;
}

/** One engine's part of a room: estimated before its load, and better known after it. */
export class EngineRoom {
  readonly #room: Room;
  readonly #options: EngineRoomOptions;
  #size: ModelSize | undefined;
  #fit: EngineFit | undefined;
  #measured: Measurement | undefined;

  constructor(room: Room, options: EngineRoomOptions) {
    this.#room = room;
    this.#options = options;
  }

  /** What it got less of than it should have, in this load or the last one. */
  get shortened(): ShortenedModel | undefined {
    return this.#fit?.shortened;
  }

  /** What it has. */
  get memory(): Memory | undefined {
    return this.#room.memoryOf(this.#options.key);
  }

  /** Its arguments, with those that make it fit. */
  args(files: ModelFiles): string[] {
    return joinArguments(this.#options.args(files), this.#fit?.args ?? []);
  }

  /** Waits until there is memory for it. Throws `EngineLoadError` if there will be none. */
  async reserve(engine: Resident, files: ModelFiles, signal: AbortSignal): Promise<void> {
    const { key, args, fit, isAlone, waitMs, log } = this.#options;
    const own = args(files);
    this.#size = await readModelSize(files, own);
    const lent = (await this.#options.lent?.(files.path, signal)) ?? {};
    const most = withLent(await this.#room.most(key), lent);
    this.#fit = fitEngine({ size: this.#size, args: own, fit, isAlone: isAlone(), most });
    const { shortened } = this.#fit;
    if (shortened !== undefined) log.info({ model: engine.label, ...shortened }, "engine.fitted");
    const planned = withoutLent(this.#fit.need);
    const likely = sumOf([planned, { [HOST]: this.#room.surplusBytes }]);
    const known = this.#known(files)?.memory ?? likely;
    // What was loaded once is not refused because it turned out to take more.
    const need = fitsInto(known, most) ? known : planned;
    await this.#room.reserve(key, engine, { need, waitMs, signal });
  }

  /** It is loaded: what it takes is known better, and is what it needs when it is loaded again. */
  loaded(files: ModelFiles, info: EngineInfo, pid: number): void {
    const size = this.#size;
    if (size === undefined) return;
    const memory = this.#measure(size, info);
    const measured = { ...memory, [HOST]: Math.max(memory[HOST] ?? 0, privateBytesOf(pid) ?? 0) };
    this.#measured = { ...this.#signature(files), memory: measured };
    this.#room.measured(this.#options.key, measured);
    this.#room.learnSurplus(bytesIn(measured, HOST) - bytesIn(this.#fit?.need ?? {}, HOST));
  }

  release(): void {
    this.#room.release(this.#options.key);
  }

  /** As ggml's buffers say, with what these leave out; an estimate where they say nothing. */
  #measure({ extraBytes }: ModelSize, { memoryBytes }: EngineInfo): Memory {
    const need = withoutLent(this.#fit?.need ?? {});
    if (memoryBytes === undefined) return need;
    const measured: Record<string, number> = { [HOST]: 0 };
    for (const [name, bytes] of Object.entries(memoryBytes)) {
      if (isLent(name)) continue;
      const where = this.#room.has(name) ? name : HOST;
      measured[where] = (measured[where] ?? 0) + bytes;
    }
    const devices = Object.keys(measured).filter((name) => name !== HOST);
    const [device = HOST] = devices.filter((name) => (measured[name] ?? 0) > 0);
    return { ...measured, [device]: (measured[device] ?? 0) + extraBytes };
  }

  #known(files: ModelFiles): Measurement | undefined {
    const known = this.#measured;
    const { files: fingerprint, args } = this.#signature(files);
    return known?.files === fingerprint && known.args === args ? known : undefined;
  }

  #signature(files: ModelFiles): Omit<Measurement, "memory"> {
    return { files: files.fingerprint, args: this.args(files).join("\0") };
  }
}
