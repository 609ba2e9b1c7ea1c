import { stat } from "node:fs/promises";
import { readGgufFile } from "../../../model/ggufreader.ts";
import { hyperparametersOf } from "../../../model/hyperparameters.ts";
import { estimateMemory } from "../../../model/memory.ts";
import { partPathsOf } from "../../../model/splitfile.ts";
import type { ModelFiles } from "../../models/modelfiles.ts";

/**
 * The memory that an engine will take with these files and llama-server arguments, in bytes: an
 * estimate. Files that cannot be read count nothing; the engine says what is wrong with them.
 */
export async function engineMemory(
  { path, mmproj }: Pick<ModelFiles, "path" | "mmproj">,
  args: string[],
): Promise<number> {
  const files = [...partPathsOf(path), ...(mmproj === undefined ? [] : [mmproj])];
  const sizes = await Promise.all(files.map(sizeOf));
  const weightsBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const metadata = await readGgufFile(path).catch(() => undefined);
  const hyperparameters = metadata && hyperparametersOf(metadata);
  return estimateMemory({ weightsBytes, hyperparameters, args }).total;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
