import { readGif } from "./gif.ts";
import { readJpeg } from "./jpeg.ts";
import { readPng } from "./png.ts";
import { readWebp } from "./webp.ts";

/** The kinds of images that are taken, by their media types. */
export type ImageType = "image/jpeg" | "image/png" | "image/gif" | "image/webp";

/** Width and height in pixels. */
export interface Extent {
  width: number;
  height: number;
}

/** What bytes turned out to be: a whole image, a broken one, or none of those that are taken. */
export type ImageInfo =
  | { kind: "image"; type: ImageType; extent: Extent }
  | { kind: "broken"; type: ImageType; reason: string }
  | { kind: "unknown" };

/** Decoded, this many pixels take 256 MiB; a small file may claim far more. */
export const PIXELS_MAX = 64 * 1024 * 1024;

/** Reads an image's extent; a text says why it is none. */
type Reader = (bytes: Uint8Array) => Extent | string;

/** What the files of each kind begin with. */
const KINDS: { type: ImageType; begins(bytes: Uint8Array): boolean; read: Reader }[] = [
  { type: "image/jpeg", begins: (b) => has(b, 0, "\xff\xd8\xff"), read: readJpeg },
  { type: "image/png", begins: (b) => has(b, 0, "\x89PNG\r\n\x1a\n"), read: readPng },
  { type: "image/gif", begins: (b) => has(b, 0, "GIF87a") || has(b, 0, "GIF89a"), read: readGif },
  { type: "image/webp", begins: (b) => has(b, 0, "RIFF") && has(b, 8, "WEBP"), read: readWebp },
];

/**
 * Says what an image is by its bytes alone. The file's structure is walked through to its end, so
 * that garbage behind a good beginning and a file that was cut are found without decoding it.
 */
export function inspect(bytes: Uint8Array): ImageInfo {
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
