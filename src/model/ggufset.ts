import type { StoredFile } from "../storage/folder.ts";
import {
  ggufStem,
  isSameQuantization,
  quantizationOf,
  type SplitPart,
  splitPartName,
  splitPartOf,
} from "./filename.ts";

/** The weights of a model: one GGUF file, or all parts of a split one. */
export interface GgufSet {
  /** Without ending and number. */
  stem: string;
  /** In their order; the first one is what is given to the engine. */
  files: StoredFile[];
  quantization: string | undefined;
  /** Names of parts that are not there: it cannot be run. */
  missing: string[];
}

/** Puts the parts of split files together. */
export function ggufSets(files: StoredFile[]): GgufSet[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const sets: GgufSet[] = [];
  const seen = new Set<string>();
  for (const file of files) {
    const split = splitPartOf(file.name);
    if (split === undefined) {
      sets.push(setOf(file.name, [file], []));
      continue;
    }
    const first = splitPartName(file.name, 1);
    if (seen.has(first)) continue;
    seen.add(first);
    sets.push(splitSet(first, split, byName));
  }
  return sets;
}

/** More parts than any model has: a name that only looks like one of a split file. */
const PARTS_MAX = 1000;

function splitSet(first: string, { parts }: SplitPart, files: Map<string, StoredFile>): GgufSet {
  const names = Array.from({ length: Math.min(parts, PARTS_MAX) }, (_, i) =>
    splitPartName(first, i + 1),
  );
  const there = names.flatMap((name) => files.get(name) ?? []);
  return setOf(
    first,
    there,
    names.filter((name) => !files.has(name)),
  );
}

function setOf(name: string, files: StoredFile[], missing: string[]): GgufSet {
  return { stem: ggufStem(name), files, quantization: quantizationOf(name), missing };
}

export interface GgufWish {
  /** The last part of the model's folder, in lower case. */
  leaf: string;
  /** What the request names. */
  quantization: string | undefined;
  /** What the folder's record says is meant. */
  recorded: string | undefined;
}

/**
 * Which weights are meant, or why none are.
 *
 * With a quantization: 1. the only file named `<leaf>` or `model`, then `.` or `-`, then exactly
 * it; 2. the only file whose name tells it; 3. if the record names it: `model.gguf`, or the only
 * file. Without: 1. the file with the recorded quantization; 2. `model.gguf`; 3. `<leaf>.gguf`;
 * 4. the only file.
 */
export function chooseGguf(sets: GgufSet[], wish: GgufWish): GgufSet | string {
  if (sets.length === 0) return "there is no GGUF file";
  const chosen =
    wish.quantization === undefined
      ? withoutWish(sets, wish)
      : withQuantization(sets, wish.quantization, wish);
  if (chosen === undefined) return whyNone(sets, wish);
  if (chosen.missing.length === 0) return chosen;
  return `parts are missing: ${named(chosen.missing)}`;
}

function withoutWish(sets: GgufSet[], { leaf, recorded }: GgufWish): GgufSet | undefined {
  const meant =
    recorded === undefined ? undefined : withQuantization(sets, recorded, { leaf, recorded });
  return (
    meant ??
    bySpelling(sets, "model") ??
    bySpelling(sets, leaf) ??
    (only(sets) || only(whole(sets)))
  );
}

function withQuantization(
  sets: GgufSet[],
  quantization: string,
  { leaf, recorded }: Pick<GgufWish, "leaf" | "recorded">,
): GgufSet | undefined {
  const strict = sets.filter(({ stem }) => {
    const start = stem.slice(0, -quantization.length);
    const end = stem.slice(-quantization.length);
    if (!isSameQuantization(end, quantization) || !/[.-]$/.test(start)) return false;
    const name = start.slice(0, -1).toLowerCase();
    return name === leaf || name === "model";
  });
  if (strict.length > 0) return only(strict);
  const told = sets.filter((set) => isSameQuantization(set.quantization, quantization));
  if (told.length > 0) return only(told);
  if (!isSameQuantization(recorded, quantization)) return undefined;
  return bySpelling(sets, "model") ?? only(sets);
}

function bySpelling(sets: GgufSet[], stem: string): GgufSet | undefined {
  return only(sets.filter((set) => set.stem.toLowerCase() === stem));
}

/** Those that can be run, so that a half-fetched second quantization does not hide the first. */
function whole(sets: GgufSet[]): GgufSet[] {
  return sets.filter(({ missing }) => missing.length === 0);
}

function only(sets: GgufSet[]): GgufSet | undefined {
  return sets.length === 1 ? sets[0] : undefined;
}

function whyNone(sets: GgufSet[], { quantization }: GgufWish): string {
  const there = `there ${sets.length === 1 ? "is" : "are"} ${named(sets.map(({ stem }) => stem))}`;
  if (quantization !== undefined) return `no single file has ${quantization}: ${there}`;
  return `it is not clear which file is meant: ${there}; name one as model:QUANTIZATION`;
}

const NAMED_MAX = 10;

function named(names: string[]): string {
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : "";
  return `${names.slice(0, NAMED_MAX).join(", ")}${more}`;
}
