import { basename, join } from "node:path";
import weights from "../../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf" with { type: "file" };
import projector from "../../../fixtures/llmlb-tiny/mmproj-llmlb-tiny-f16.gguf" with {
  type: "file",
};
import { isCompiled } from "../../lib/childprocess.ts";
import { contentHash, extractOnce } from "../../lib/extract.ts";

/** The built-in model. It is tiny, and made to show that all parts work. */
export const TINY_MODEL_ID = "llmlb-tiny";

/**
 * llama-server arguments for it: context for four requests at once, temperature 0, as only its
 * likeliest tokens are right, and one thread. Its layers are so small that two threads mostly wait
 * for each other, which is several times slower on a busy machine.
 */
export const TINY_MODEL_ARGS = "--ctx-size 8192 --parallel 4 --threads 1 --temp 0".split(" ");

/** Paths of the weights and of the image projector, in a real file system. */
export interface TinyFiles {
  path: string;
  mmproj: string;
}

/**
 * Returns a function that finds the built-in model's files. Engines cannot read files inside a
 * compiled executable, so these are copied to `native/` in the data folder, and copied again if
 * somebody has removed them. The function throws if the copy fails.
 */
export function tinyModelFinder(home: string): () => Promise<TinyFiles> {
  const sources = [weights, projector];
  let hash: Promise<string> | undefined;
  return async () => {
    if (!isCompiled) return { path: weights, mmproj: projector };
    hash ??= contentHash(sources);
    const files = sources.map((source) => ({ name: basename(source), source }));
    const folder = await extractOnce({ into: join(home, "native", await hash), files });
    return { path: join(folder, basename(weights)), mmproj: join(folder, basename(projector)) };
  };
}
