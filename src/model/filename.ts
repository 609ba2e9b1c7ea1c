/** The part of a split GGUF file that a name stands for, e.g. `x-00002-of-00005.gguf`. */
export interface SplitPart {
  /** The name without number and ending. */
  stem: string;
  part: number;
  parts: number;
}

const SPLIT = /^(.+)-(\d{5})-of-(\d{5})$/;

/** Whether a name ends in `.gguf`, in upper or lower case. */
export function isGguf(name: string): boolean {
  return /.\.gguf$/i.test(name);
}

/** The name, or the path, without `.gguf` and without the number of a part. */
export function ggufStem(name: string): string {
  return splitPartOf(name)?.stem ?? name.replace(/\.gguf$/i, "");
}

/** Which part of a split file the name stands for; undefined for a file that is not split. */
export function splitPartOf(name: string): SplitPart | undefined {
  const [, stem, part, parts] = SPLIT.exec(name.replace(/\.gguf$/i, "")) ?? [];
  if (stem === undefined || !isGguf(name)) return undefined;
  const numbers = { stem, part: Number(part), parts: Number(parts) };
  return numbers.part >= 1 && numbers.part <= numbers.parts ? numbers : undefined;
}

/** The name of another part of the same split file; parts are counted from 1. */
export function splitPartName(name: string, part: number): string {
  const number = String(part).padStart(5, "0");
  return name.replace(/-\d{5}(-of-\d{5}\.gguf)$/i, `-${number}$1`);
}

/** The last part of a path: the name under which a node saves an artifact. */
export function localName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The folder of a path, with its slash at the end; "" for a file in the root. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
