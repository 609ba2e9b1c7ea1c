import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineLoadError, type LoadFailure } from "../../engine/loaderror.ts";
import {
  type EngineHome,
  launchTest,
  sendToEngine,
  TINY_FILE,
  TINY_MMPROJ_FILE,
  tinyChat,
} from "../engine.ts";
import { mutate } from "./mutant.ts";

/** How a launch with a damaged file ended. */
export type FuzzOutcome = "loaded" | LoadFailure;

export interface FuzzResult {
  seed: number;
  /** What was done to the file. */
  what: string;
  outcome: FuzzOutcome;
  message: string;
  ms: number;
}

const TIMEOUT_MS = 20_000;
/** Metadata and tensor lists of both files are within this. */
const HEADER_BYTES = { model: 60_000, mmproj: 4000 };

const model = readFileSync(TINY_FILE);
const mmproj = readFileSync(TINY_MMPROJ_FILE);

/**
 * Launches an engine with a damaged model, or every fourth time a damaged projector, and asks it
 * for a word if it loads. Throws if anything but an `EngineLoadError` comes of that.
 */
export async function fuzzOnce(home: EngineHome, seed: number): Promise<FuzzResult> {
  const isModel = seed % 4 !== 3;
  const { bytes, what } = isModel
    ? mutate(model, HEADER_BYTES.model, seed)
    : mutate(mmproj, HEADER_BYTES.mmproj, seed);
  const path = join(home.path, "mutant.gguf");
  writeFileSync(path, bytes);
  const files = isModel ? { modelPath: path } : { mmprojPath: path };
  const startMs = performance.now();
  const end = (outcome: FuzzOutcome, message: string): FuzzResult => {
    const ms = Math.round(performance.now() - startMs);
    return { seed, what: `${isModel ? "model" : "mmproj"}: ${what}`, outcome, message, ms };
  };
  try {
    const engine = await launchTest(home, { ...files, loadTimeoutMs: TIMEOUT_MS });
    const answer = sendToEngine(engine, "/v1/chat/completions", tinyChat("Hi", { max_tokens: 4 }));
    const status = await answer.then(
      async (response) => `${response.status} ${(await response.text()).slice(0, 200)}`,
      String,
    );
    await engine.stop(5000);
    return end("loaded", status);
  } catch (error) {
    if (error instanceof EngineLoadError) return end(error.reason, error.message);
    throw error;
  }
}
