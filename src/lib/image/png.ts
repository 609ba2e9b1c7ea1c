import { type Extent, PARTS_MAX } from "./extent.ts";

const SIGNATURE_BYTES = 8;
const HEADER_BYTES = 13;

/** Length, type and checksum around a chunk's data. */
const CHUNK_BYTES = 12;

/**
 * Reads a PNG file: its header, checksums and order of chunks, up to its end. A string says what
 * is wrong. Source: https://www.w3.org/TR/png-3/
 */
export function readPng(bytes: Uint8Array): Extent | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let extent: Extent | undefined;
  let pixels = false;
  let parts = 0;
  for (let at = SIGNATURE_BYTES; at + CHUNK_BYTES <= bytes.length; ) {
    parts += 1;
    if (parts > PARTS_MAX) return "it has too many parts";
    const length = view.getUint32(at);
    const type = text.toString("latin1", at + 4, at + 8);
    const end = at + CHUNK_BYTES + length;
    if (end > bytes.length) return "it ends early";
    if (Bun.hash.crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) {
      return "a checksum in it is wrong";
    }
    if (extent === undefined) {
      if (type !== "IHDR" || length !== HEADER_BYTES) return "it has no header";
      extent = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    }
    if (type === "IDAT") pixels = true;
    if (type === "IEND") return pixels ? extent : "it has no pixels";
    at = end;
  }
  return "it ends early";
}

/** The extent that the first bytes of a file tell; a string if they are not enough. */
export function readPngHead(bytes: Uint8Array): Extent | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = SIGNATURE_BYTES + 8;
  if (bytes.length < at + 8) return "it ends early";
  return { width: view.getUint32(at), height: view.getUint32(at + 4) };
}
