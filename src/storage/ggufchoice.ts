import {
  isSameQuantization,
  preferredQuantization,
  weightsWithTag,
} from "../model/quantization.ts";
import type { GgufWeights } from "../model/splitfile.ts";
import type { StoredFile } from "./foldercontent.ts";

type Weights = GgufWeights<StoredFile>;

/** What tells which of a folder's weights are meant. */
export interface WeightsHints {
  /** The last part of the model's folder, in lower case. */
  leaf: string;
  /** The quantization that a request names. */
  quantization: string | undefined;
  /** The quantization that the folder's record names. */
  recorded: string | undefined;
}

/**
 * Which weights of a folder are meant, or why none are.
 *
 * With a quantization, in any case: 1. the only file named `<leaf>` or `model`, then `.` or `-`,
 * then it; 2. the only file that has it, see `weightsWithTag`; 3. if the record names it:
 * `model.gguf`, or the only file. Without: 1. the file with the recorded quantization;
 * 2. `model.gguf`; 3. `<leaf>.gguf`; 4. the only file, or else the only one of which all parts
 * exist; 5. Q4_K_M, else the largest, where each of them has a quantization of its own.
 */
export function chooseWeights(all: Weights[], hints: WeightsHints): Weights | string {
  if (all.length === 0) return "there is no GGUF file";
  const chosen =
    hints.quantization === undefined
      ? chooseUnnamed(all, hints)
      : chooseQuantized(all, hints.quantization, hints);
  if (chosen === undefined) return whyNone(all, hints);
  if (chosen.missing.length === 0) return chosen;
  return `parts are missing: ${shortList(chosen.missing)}`;
}

function chooseUnnamed(all: Weights[], { leaf, recorded }: WeightsHints): Weights | undefined {
  const meant =
    recorded === undefined ? undefined : chooseQuantized(all, recorded, { leaf, recorded });
  const named = meant ?? byStem(all, "model") ?? byStem(all, leaf) ?? onlyOne(all);
  return named ?? onlyOne(complete(all)) ?? preferred(complete(all));
}

/** A model that is served must not vanish because another quantization is laid beside it. */
function preferred(all: Weights[]): Weights | undefined {
  const tags = all.flatMap(({ quantization }) => quantization?.toUpperCase() ?? []);
  if (new Set(tags).size < all.length) return undefined;
  const sized = all.map(({ quantization = null, files }, at) => {
    return { at, quantization, sizeBytes: files.reduce((sum, one) => sum + one.sizeBytes, 0) };
  });
  return all[preferredQuantization(sized)?.at ?? -1];
}

function chooseQuantized(
  all: Weights[],
  quantization: string,
  { leaf, recorded }: Pick<WeightsHints, "leaf" | "recorded">,
): Weights | undefined {
  const exact = all.filter(({ stem }) => {
    const start = stem.slice(0, -quantization.length);
    const end = stem.slice(-quantization.length);
    if (!isSameQuantization(end, quantization) || !/[.-]$/.test(start)) return false;
    const name = start.slice(0, -1).toLowerCase();
    return name === leaf || name === "model";
  });
  if (exact.length > 0) return onlyOne(exact);
  const named = weightsWithTag(all, quantization);
  if (named.length > 0) return onlyOne(named);
  if (!isSameQuantization(recorded, quantization)) return undefined;
  return byStem(all, "model") ?? onlyOne(all);
}

function byStem(all: Weights[], stem: string): Weights | undefined {
  return onlyOne(all.filter((one) => one.stem.toLowerCase() === stem));
}

/** Weights that can be run: a second quantization that is half fetched must not hide the first. */
function complete(all: Weights[]): Weights[] {
  return all.filter(({ missing }) => missing.length === 0);
}

function onlyOne(all: Weights[]): Weights | undefined {
  return all.length === 1 ? all[0] : undefined;
}

function whyNone(all: Weights[], { quantization }: WeightsHints): string {
  const stems = shortList(all.map(({ stem }) => stem));
  const there = `there ${all.length === 1 ? "is" : "are"} ${stems}`;
  if (quantization !== undefined) return `no single file has ${quantization}: ${there}`;
  return `it is not clear which file is meant: ${there}; name one as model:QUANTIZATION`;
}

const LISTED_MAX = 10;

function shortList(names: string[]): string {
  const more = names.length > LISTED_MAX ? ` and ${names.length - LISTED_MAX} more` : "";
  return `${names.slice(0, LISTED_MAX).join(", ")}${more}`;
}
