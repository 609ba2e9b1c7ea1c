import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, EngineOptions } from "../engine/engine.ts";
import { launchEngine } from "../engine/launch.ts";
import { EngineLoadError } from "../engine/loaderror.ts";
import { createLogger } from "../lib/log.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/llmlb-tiny");
export const TINY = join(FIXTURES, "llmlb-tiny-q8_0.gguf");
export const TINY_MMPROJ = join(FIXTURES, "mmproj-llmlb-tiny-f16.gguf");

/** Context for four requests at once, on the one thread that tests may have. */
const ARGS = ["--ctx-size", "8192", "--parallel", "4", "--threads", "1"];

/** A folder that goes with the test. */
export class TestHome {
  readonly path = mkdtempSync(join(tmpdir(), "llmlb-engine-"));

  /** Names of the sockets that are there. */
  sockets(): string[] {
    return readdirSync(join(this.path, "run")).filter((name) => name.endsWith(".sock"));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Starts the tiny model, or another file, in a real engine process. */
export function launchTest(home: TestHome, more: Partial<EngineOptions> = {}): Promise<Engine> {
  return launchEngine({
    modelId: "tiny",
    modelPath: TINY,
    home: home.path,
    loadTimeoutMs: 20_000,
    log: createLogger({ level: "silent" }),
    ...more,
    args: [...ARGS, ...(more.args ?? [])],
  });
}

/** How a load fails; throws if it does not. */
export async function loadFailure(load: Promise<Engine>): Promise<EngineLoadError> {
  try {
    const engine = await load;
    await engine.stop(0);
  } catch (error) {
    if (error instanceof EngineLoadError) return error;
    throw error;
  }
  throw new Error("the model was loaded");
}

/** Sends a request to an engine: GET, or with a body POST. */
export function send(
  engine: Engine,
  path: string,
  body?: object | string | FormData,
  signal?: AbortSignal,
): Promise<Response> {
  const { url, unix, headers } = engine.target(path);
  return fetch(url, {
    ...(unix === undefined ? {} : { unix }),
    ...(headers === undefined ? {} : { headers }),
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { method: "POST", body: encode(body) }),
  });
}

function encode(body: object | string | FormData): string | FormData {
  return typeof body === "string" || body instanceof FormData ? body : JSON.stringify(body);
}

/** A chat request's body. */
export function chat(content: string, more: object = {}): object {
  return { messages: [{ role: "user", content }], temperature: 0, max_tokens: 32, ...more };
}

/** A request that goes on for longer than any test. */
export const ENDLESS = { max_tokens: 100_000, ignore_eos: true };

/** Slots that are decoding now. */
export async function busySlots(engine: Engine): Promise<number> {
  const slots = (await (await send(engine, "/slots")).json()) as { is_processing: boolean }[];
  return slots.filter((slot) => slot.is_processing).length;
}

/** Waits until something holds; returns how long that took in ms. Throws after `limitMs`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<number> {
  const start = performance.now();
  while (!(await holds())) {
    if (performance.now() - start > limitMs) throw new Error(`not within ${limitMs} ms`);
    await Bun.sleep(10);
  }
  return performance.now() - start;
}

/** Whether a process runs; not one that has ended and only waits for its entry to be removed. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    // A process is gone when all its threads are: until then its sockets stay open.
    return readdirSync(`/proc/${pid}/task`).some((thread) => isRunning(pid, thread));
  } catch {
    return false; // gone
  }
}

function isRunning(pid: number, thread: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"));
  } catch {
    return false; // this thread is gone
  }
}
