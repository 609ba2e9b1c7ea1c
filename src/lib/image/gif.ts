import { type Extent, PARTS_MAX } from "./extent.ts";

const SCREEN_BYTES = 13;
const FRAME_BYTES = 10;

const EXTENSION = 0x21;
const FRAME = 0x2c;
const TRAILER = 0x3b;

/**
 * Reads a GIF file: its screen and the blocks of its frames, of which one must be whole. A
 * string says what is wrong. Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
 */
export function readGif(bytes: Uint8Array): Extent | string {
  const extent = readGifHead(bytes);
  if (typeof extent === "string") return extent;
  let frames = 0;
  let parts = 0;
  let at = SCREEN_BYTES + tableBytes(bytes[10] ?? 0);
  while (at < bytes.length && bytes[at] !== TRAILER) {
    parts += 1;
    if (parts > PARTS_MAX) return "it has too many parts";
    const kind = bytes[at];
    // A decoder shows the frames before the invalid block.
    if (kind !== FRAME && kind !== EXTENSION) return frames > 0 ? extent : "it has no frames";
    const data = kind === FRAME ? at + FRAME_BYTES + tableBytes(bytes[at + 9] ?? 0) + 1 : at + 2;
    const end = skipBlocks(bytes, data);
    if (end > bytes.length) return "it ends early";
    if (kind === FRAME) frames += 1;
    at = end;
  }
  return frames > 0 ? extent : "it has no frames";
}

/** The extent that the first bytes of a file tell; a string if they are not enough. */
export function readGifHead(bytes: Uint8Array): Extent | string {
  if (bytes.length < SCREEN_BYTES) return "it ends early";
  return { width: u16(bytes, 6), height: u16(bytes, 8) };
}

/** Where a chain of blocks ends, each with its length before it; beyond the bytes if it is cut. */
function skipBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length) {
    const length = bytes[at] ?? 0;
    at += length + 1;
    if (length === 0) return at;
  }
  return bytes.length + 1;
}

/** Bytes of a table of colours, by the flags that announce it. */
function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
