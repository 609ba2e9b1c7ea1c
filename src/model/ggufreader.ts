import { open } from "node:fs/promises";
import {
  GgufFormatError,
  type GgufMetadata,
  GgufTruncatedError,
  type GgufValue,
  ggufEntries,
  parseGguf,
} from "./gguf.ts";

/** Reads `length` bytes from `offset`, or as many of them as there are. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

const FIRST_BYTES = 256 * 1024;
/** Vocabularies of about 250 000 tokens take about 16 MiB. */
const BYTES_MAX = 128 * 1024 * 1024;

/**
 * Reads the metadata of a GGUF file with few bytes: 256 KiB at first, then four times as many at
 * each step. Throws `GgufFormatError`, and what `read` throws.
 */
export async function readGguf(read: ReadRange): Promise<GgufMetadata> {
  let bytes = new Uint8Array(0);
  for (let length = FIRST_BYTES; length <= BYTES_MAX; length *= 4) {
    const more = await read(bytes.length, length - bytes.length);
    bytes = new Uint8Array(Buffer.concat([bytes, more]));
    try {
      return parseGguf(bytes);
    } catch (error) {
      if (!(error instanceof GgufTruncatedError)) throw error;
      if (bytes.length < length) throw new GgufFormatError("it ends within its header");
    }
  }
  throw new GgufFormatError(`its header is longer than ${BYTES_MAX} bytes`);
}

/** Reads the metadata of a GGUF file on disk. Throws `GgufFormatError` and file system errors. */
export async function readGgufFile(path: string): Promise<GgufMetadata> {
  const file = await open(path, "r");
  try {
    return await readGguf(async (offset, length) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    });
  } finally {
    await file.close();
  }
}

/**
 * The metadata entries within the first `bytesMax` bytes of a file on disk. A file that is missing,
 * cut, or not GGUF gives those entries that can be read, or none: it throws nothing.
 */
export async function* leadingEntries(
  path: string,
  bytesMax: number,
): AsyncGenerator<[key: string, value: GgufValue]> {
  let bytes: Uint8Array;
  try {
    bytes = await Bun.file(path).slice(0, bytesMax).bytes();
  } catch {
    return; // The engine says why the file cannot be read.
  }
  try {
    yield* ggufEntries(bytes);
  } catch (error) {
    if (error instanceof GgufTruncatedError || error instanceof GgufFormatError) return;
    throw error;
  }
}
