import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, EngineOptions } from "../engine/engine.ts";
import { launchEngine } from "../engine/launch.ts";
import { EngineLoadError } from "../engine/loaderror.ts";
import { createLogger } from "../lib/log.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/llmlb-tiny");
export const TINY_FILE = join(FIXTURES, "llmlb-tiny-q8_0.gguf");
export const TINY_MMPROJ_FILE = join(FIXTURES, "mmproj-llmlb-tiny-f16.gguf");

/** Context for four requests at once, on the one thread that tests may have. */
const ARGS = ["--ctx-size", "8192", "--parallel", "4", "--threads", "1"];

/** A temporary folder, removed by `using`. */
export class EngineHome {
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
export function launchTest(home: EngineHome, more: Partial<EngineOptions> = {}): Promise<Engine> {
  return launchEngine({
    modelId: "tiny",
    modelPath: TINY_FILE,
    home: home.path,
    loadTimeoutMs: 20_000,
    log: createLogger({ level: "silent" }),
    ...more,
    args: [...ARGS, ...(more.args ?? [])],
  });
}

/** The error that a load fails with. Throws if the model is loaded. */
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
export function sendToEngine(
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
export function tinyChat(content: string, more: object = {}): object {
  return { messages: [{ role: "user", content }], temperature: 0, max_tokens: 32, ...more };
}

/** A request that goes on for longer than any test. */
export const ENDLESS = { max_tokens: 100_000, ignore_eos: true };

/** How many slots of an engine are decoding. */
export async function decodingSlots(engine: Engine): Promise<number> {
  const slots = (await (await sendToEngine(engine, "/slots")).json()) as {
    is_processing: boolean;
  }[];
  return slots.filter((slot) => slot.is_processing).length;
}
