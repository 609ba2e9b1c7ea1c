import type { Extent } from "./extent.ts";
import { readGif, readGifHead } from "./gif.ts";
import { readJpeg, readJpegHead } from "./jpeg.ts";
import { readPng, readPngHead } from "./png.ts";
import { readWebp } from "./webp.ts";

/** The media types of the images that are read here. */
export type ImageType = "image/jpeg" | "image/png" | "image/gif" | "image/webp";

/** What bytes are: a whole image, a broken one, or no image of an accepted type. */
export type ImageInfo =
  | { kind: "image"; type: ImageType; extent: Extent }
  | { kind: "broken"; type: ImageType; reason: string }
  | { kind: "unknown" };

/** Decoded, this many pixels take 256 MiB. A small file may claim far more. */
export const IMAGE_PIXELS_MAX = 64 * 1024 * 1024;

/** Pixels of all images of one request: it takes a core some seconds to decode them. */
export const REQUEST_PIXELS_MAX = 256 * 1024 * 1024;

/** Reads an image's extent; a string is the reason why it cannot. */
type Reader = (bytes: Uint8Array) => Extent | string;

/** How files of each type begin, and how they and their beginnings are read. */
const KINDS: {
  type: ImageType;
  begins(bytes: Uint8Array): boolean;
  read: Reader;
  readHead: Reader;
}[] = [
  {
    type: "image/jpeg",
    begins: (b) => has(b, 0, "\xff\xd8\xff"),
    read: readJpeg,
    readHead: readJpegHead,
  },
  {
    type: "image/png",
    begins: (b) => has(b, 0, "\x89PNG\r\n\x1a\n"),
    read: readPng,
    readHead: readPngHead,
  },
  {
    type: "image/gif",
    begins: (b) => has(b, 0, "GIF87a") || has(b, 0, "GIF89a"),
    read: readGif,
    readHead: readGifHead,
  },
  {
    type: "image/webp",
    begins: (b) => has(b, 0, "RIFF") && has(b, 8, "WEBP"),
    read: readWebp,
    readHead: readWebp,
  },
];

/**
 * Finds the type of an image from its bytes alone. The structure of the file is read to its end, so
 * that a damaged or cut file is found without decoding it.
 */
export function inspectImage(bytes: Uint8Array): ImageInfo {
  const kind = KINDS.find(({ begins }) => begins(bytes));
  if (kind === undefined) return { kind: "unknown" };
  const { type, read } = kind;
  const extent = read(bytes);
  if (typeof extent === "string") return { kind: "broken", type, reason: extent };
  const { width, height } = extent;
  if (width === 0 || height === 0) return { kind: "broken", type, reason: "it has no pixels" };
  if (width * height <= IMAGE_PIXELS_MAX) return { kind: "image", type, extent };
  const reason = `it has ${width} x ${height} pixels, more than ${IMAGE_PIXELS_MAX} in all`;
  return { kind: "broken", type, reason };
}

/** The extent of an image of which these are the first bytes; undefined if they do not say. */
export function extentOf(bytes: Uint8Array): Extent | undefined {
  const extent = KINDS.find(({ begins }) => begins(bytes))?.readHead(bytes);
  return typeof extent === "string" ? undefined : extent;
}

function has(bytes: Uint8Array, at: number, text: string): boolean {
  if (bytes.length < at + text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
