import type { Extent } from "./extent.ts";

const MARK = 0xff;
const START_OF_SCAN = 0xda;
const END = Buffer.from([MARK, 0xd9]);

/** Markers without a length: restarts, and the image's start. */
const BARE = new Set([0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]);
/** Between the starts of frames (0xc0 to 0xcf) these mean something else. */
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc]);

/**
 * Reads a JPEG file: its segments up to the first scan, and whether the image ends. A string says
 * what is wrong. Source: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B
 */
export function readJpeg(bytes: Uint8Array): Extent | string {
  return readSegments(bytes, false);
}

/** The extent that the first bytes of a file tell; a string if they are not enough. */
export function readJpegHead(bytes: Uint8Array): Extent | string {
  return readSegments(bytes, true);
}

function readSegments(bytes: Uint8Array, isHead: boolean): Extent | string {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let extent: Extent | undefined;
  for (let at = 2; at + 4 <= file.length; ) {
    if (file[at] !== MARK) return "its segments are damaged";
    const marker = file[at + 1] ?? 0;
    // Any number of 0xff may stand before a marker.
    if (marker === MARK || BARE.has(marker)) {
      at += marker === MARK ? 1 : 2;
      continue;
    }
    const length = file.readUInt16BE(at + 2);
    const end = at + 2 + length;
    if (length < 2) return "its segments are damaged";
    if (end > file.length) return "it ends early";
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.has(marker)) {
      if (length < 8) return "its segments are damaged";
      extent = { width: file.readUInt16BE(at + 7), height: file.readUInt16BE(at + 5) };
      if (isHead) return extent;
    }
    if (marker !== START_OF_SCAN) {
      at = end;
      continue;
    }
    if (extent === undefined) return "it has no header";
    return file.indexOf(END, end) < 0 ? "it ends early" : extent;
  }
  return "it ends early";
}
