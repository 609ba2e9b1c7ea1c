import { open } from "node:fs/promises";
import { type GgufHeader, GgufInvalid, GgufTooShort, parseGguf } from "./gguf.ts";

/** Reads `length` bytes from `offset`, or what there is of them. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

const FIRST_BYTES = 256 * 1024;
/** Vocabularies of some 250 000 tokens take about 16 MiB. */
const BYTES_MAX = 128 * 1024 * 1024;

/**
 * The header of a GGUF file, read with as few bytes as it takes. Throws `GgufInvalid`, or what
 * `read` throws.
 */
export async function readHeader(
  read: ReadRange,
  options?: { metadataOnly?: boolean },
): Promise<GgufHeader> {
  let bytes = new Uint8Array(0);
  for (let wanted = FIRST_BYTES; wanted <= BYTES_MAX; wanted *= 4) {
    const more = await read(bytes.length, wanted - bytes.length);
    bytes = new Uint8Array(Buffer.concat([bytes, more]));
    try {
      return parseGguf(bytes, options);
    } catch (error) {
      if (!(error instanceof GgufTooShort)) throw error;
      if (bytes.length < wanted) throw new GgufInvalid("it ends within its header");
    }
  }
  throw new GgufInvalid(`its header is longer than ${BYTES_MAX} bytes`);
}

/** The header of a GGUF file on disk. Throws `GgufInvalid` and errors of the file system. */
export async function readHeaderOf(
  path: string,
  options?: { metadataOnly?: boolean },
): Promise<GgufHeader> {
  const file = await open(path, "r");
  try {
    return await readHeader(async (offset, length) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    }, options);
  } finally {
    await file.close();
  }
}
