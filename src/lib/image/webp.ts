import type { Extent } from "./extent.ts";

/** Where the first chunk's data begins: behind RIFF, size, WEBP, and its own type and size. */
const DATA_AT = 20;
const RIFF_HEAD_BYTES = 8;

/**
 * Reads a WebP file: its container and the header of its first chunk. A string says what is wrong.
 * Source: https://developers.google.com/speed/webp/docs/riff_container
 */
export function readWebp(bytes: Uint8Array): Extent | string {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < DATA_AT + 10) return "it ends early";
  const size = file.readUInt32LE(4);
  if (RIFF_HEAD_BYTES + size > file.length) return "it ends early";
  const chunk = file.readUInt32LE(16);
  if (DATA_AT + chunk > RIFF_HEAD_BYTES + size + 1) return "its chunks are damaged";
  switch (file.toString("latin1", 12, 16)) {
    case "VP8 ":
      return lossy(file);
    case "VP8L":
      return lossless(file);
    case "VP8X":
      return { width: file.readUIntLE(24, 3) + 1, height: file.readUIntLE(27, 3) + 1 };
    default:
      return "it has no header";
  }
}

/** RFC 6386, 9.1: a key frame's tag, its start code, and 14 bits for each side. */
function lossy(file: Buffer): Extent | string {
  const startCode = file.readUIntBE(DATA_AT + 3, 3);
  if (((file[DATA_AT] ?? 1) & 1) !== 0 || startCode !== 0x9d012a) return "it has no key frame";
  return { width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff };
}

/** RFC 9649, 3.4: a signature, and 14 bits for each side less one. */
function lossless(file: Buffer): Extent | string {
  if (file[DATA_AT] !== 0x2f) return "its header is damaged";
  const bits = file.readUInt32LE(DATA_AT + 1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}
