import type { Extent } from "./extent.ts";
import { readGif } from "./gif.ts";
import { readJpeg } from "./jpeg.ts";
import { readPng } from "./png.ts";
import { readWebp } from "./webp.ts";

/** The media types of the images that are read here. */
export type ImageType = "image/jpeg" | "image/png" | "image/gif" | "image/webp";

/** What bytes are: a whole image, a broken one, or no image of an accepted type. */
export type ImageInfo =
  | { kind: "image"; type: ImageType; extent: Extent }
  | { kind: "broken"; type: ImageType; reason: string }
  | { kind: "unknown" };

/** Decoded, this many pixels take 256 MiB. A small file may claim far more. */
const PIXELS_MAX = 64 * 1024 * 1024;

/** Reads an image's extent; a string is the reason why it cannot. */
type Reader = (bytes: Uint8Array) => Extent | string;

/** How files of each type begin and are read. */
const KINDS: { type: ImageType; begins(bytes: Uint8Array): boolean; read: Reader }[] = [
  { type: "image/jpeg", begins: (b) => has(b, 0, "\xff\xd8\xff"), read: readJpeg },
  { type: "image/png", begins: (b) => has(b, 0, "\x89PNG\r\n\x1a\n"), read: readPng },
  { type: "image/gif", begins: (b) => has(b, 0, "GIF87a") || has(b, 0, "GIF89a"), read: readGif },
  { type: "image/webp", begins: (b) => has(b, 0, "RIFF") && has(b, 8, "WEBP"), read: readWebp },
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
  if (width * height <= PIXELS_MAX) return { kind: "image", type, extent };
  const reason = `it has ${width} x ${height} pixels, more than ${PIXELS_MAX} in all`;
  return { kind: "broken", type, reason };
}

function has(bytes: Uint8Array, at: number, text: string): boolean {
  if (bytes.length < at + text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
