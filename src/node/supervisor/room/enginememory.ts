import { readGgufFile } from "../../../model/ggufreader.ts";
import { type Hyperparameters, hyperparametersOf } from "../../../model/hyperparameters.ts";
import { estimateMemory } from "../../../model/memory.ts";
import { partPathsOf } from "../../../model/splitfile.ts";
import type { ModelFiles } from "../../models/modelfiles.ts";
import { bytesOfFiles } from "../../models/modelsizes.ts";
import { argumentOf } from "../argumentlist.ts";
import type { Memory } from "./memory.ts";
import { placeMemory } from "./placement.ts";

/** What is read of a model's files to estimate what an engine will take. */
export interface ModelSize {
  /** Bytes of the files that llama.cpp tells of when it has loaded them. */
  weightsBytes: number;
  /** Bytes of an image projector and a draft model, of which it does not. */
  extraBytes: number;
  /** Undefined if they could not be read: then only the files count. */
  hyperparameters: Hyperparameters | undefined;
}

/** Reads it. Files that cannot be read count nothing; the engine says what is wrong with them. */
export async function readModelSize(
  { path, mmproj }: Pick<ModelFiles, "path" | "mmproj">,
  args: readonly string[],
): Promise<ModelSize> {
  const extra = [mmproj, argumentOf(args, "--model-draft", "-md")];
  const [weightsBytes, extraBytes] = await Promise.all([
    bytesOfFiles(partPathsOf(path)),
    bytesOfFiles(extra.filter((one) => one !== undefined)),
  ]);
  const metadata = await readGgufFile(path).catch(() => undefined);
  return { weightsBytes, extraBytes, hyperparameters: metadata && hyperparametersOf(metadata) };
}

/** The memory that an engine will take with these llama-server arguments: an estimate. */
export function engineMemory(
  { weightsBytes, extraBytes, hyperparameters }: ModelSize,
  args: string[],
  devices: Memory,
): Memory {
  const weights = weightsBytes + extraBytes;
  const estimate = estimateMemory({ weightsBytes: weights, hyperparameters, args });
  return placeMemory(estimate, { args, layers: hyperparameters?.layers.length ?? 0, devices });
}
