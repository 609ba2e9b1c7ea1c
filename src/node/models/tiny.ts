import { basename, join } from "node:path";
import weights from "../../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf" with { type: "file" };
import projector from "../../../fixtures/llmlb-tiny/mmproj-llmlb-tiny-f16.gguf" with {
  type: "file",
};
import { isCompiled } from "../../lib/childprocess.ts";
import { contentHash, extractOnce } from "../../lib/extract.ts";

/** The model that is built in: small enough to be anywhere, made to show that all parts work. */
export const TINY_MODEL_ID = "llmlb-tiny";

/**
 * Arguments that suit it: context for four requests at once, one thread, and the likeliest token
 * unless a request says otherwise, since it is right only then. Its layers are so small that
 * threads mostly wait for each other: a second one gains nothing on an idle machine and makes it
 * several times slower on a busy one.
 */
export const TINY_MODEL_ARGS = "--ctx-size 8192 --parallel 4 --threads 1 --temp 0".split(" ");

/** Paths of the weights and the image projector that an engine can open. */
export interface TinyFiles {
  path: string;
  mmproj: string;
}

/**
 * Finds the built-in model's files, each time anew. The file system inside a compiled executable
 * exists for JavaScript only: there the files are copied out once, under `native/` in the data
 * folder, and again should they have gone. Throws if they can't be.
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
