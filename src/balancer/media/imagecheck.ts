import { decodeBase64, decodedBytes } from "../../lib/image/base64.ts";
import { inspectImage } from "../../lib/image/imageinfo.ts";
import {
  corruptedImage,
  IMAGE_BYTES_MAX,
  imageError,
  imageTooLarge,
  invalidBase64,
  unsupportedImage,
} from "./imageerror.ts";
import type { RequestImage, SentType } from "./requestimage.ts";
import { firstWebpFrame } from "./webpframe.ts";

/** An image whose bytes are of its type. */
export interface CheckedImage {
  part: RequestImage;
  type: SentType;
  /** 0 where nobody knows. */
  pixels: number;
  bytes: Uint8Array;
  /** A strict reader takes it as it stands: its type is the right one, its base64 without fault. */
  isExact: boolean;
}

const TYPES: Record<string, SentType> = {
  "image/jpeg": "image/jpeg",
  "image/jpg": "image/jpeg",
  "image/png": "image/png",
  "image/gif": "image/gif",
  "image/webp": "image/webp",
  "image/bmp": "image/bmp",
  "image/x-ms-bmp": "image/bmp",
};

/** Characters of a client's text that errors show. */
const SHOWN_CHARS = 60;

/** Whether an image has to be fetched. Throws 400 for a URL that is neither http(s) nor data. */
export function isRemote({ source, param }: RequestImage): boolean {
  if (source.kind !== "url") return false;
  if (/^data:/i.test(source.url)) return false;
  if (/^https?:\/\//i.test(source.url)) return true;
  if (!/^[a-z][a-z\d+.-]*:/i.test(source.url)) {
    throw invalidBase64("it begins neither with data: nor with http", param);
  }
  const scheme = source.url.slice(0, source.url.indexOf(":") + 1).slice(0, SHOWN_CHARS);
  const message = `Failed to fetch image: ${scheme} is not fetched. Send a data: or http(s) URL.`;
  throw imageError("fetch_failed", message, param);
}

/**
 * Checks an image whose bytes are in the request. Throws 400 `invalid_base64`,
 * `unsupported_format`, `image_too_large` or `corrupted_image`, each with the field.
 */
export function checkInline(part: RequestImage): CheckedImage {
  const { param } = part;
  const { data, mediaType } = inlineOf(part);
  const declared = mediaType === undefined ? undefined : TYPES[mediaType.toLowerCase()];
  if (mediaType !== undefined && declared === undefined) {
    throw unsupportedImage(mediaType.slice(0, SHOWN_CHARS) || "none is named", param);
  }
  const expected = decodedBytes(data);
  if (expected > IMAGE_BYTES_MAX && !/\s/.test(data)) throw imageTooLarge(expected, param);
  const decoded = decodeBase64(data);
  if ("reason" in decoded) throw invalidBase64(decoded.reason, param);
  const { bytes } = decoded;
  if (bytes.length > IMAGE_BYTES_MAX) throw imageTooLarge(bytes.length, param);
  const { type, pixels } = checkBytes(bytes, { declared, named: mediaType }, param);
  // Anthropic reads no other names of the types; data URLs are read more kindly.
  const name = part.source.kind === "base64" ? mediaType : declared;
  const isExact = decoded.isExact && (name === undefined || name === type);
  return { part, type, pixels, bytes, isExact };
}

/** Checks an image that was fetched. Its type is that of its bytes, not its `content-type`. */
export function checkFetched(
  part: RequestImage,
  bytes: Uint8Array,
  contentType: string,
): CheckedImage {
  const named = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const declared = inspectImage(bytes).kind === "unknown" ? TYPES[named] : undefined;
  const checked = checkBytes(bytes, { declared, named }, part.param);
  return { part, ...checked, bytes, isExact: true };
}

/** `data:<type>;base64,<data>` (RFC 2397), or base64 alone. */
function inlineOf({ source, param }: RequestImage): {
  data: string;
  mediaType: string | undefined;
} {
  if (source.kind === "base64") return source;
  const comma = source.url.indexOf(",");
  const head = comma < 0 ? "" : source.url.slice("data:".length, comma);
  if (!/;\s*base64$/i.test(head)) {
    throw invalidBase64("the URL is not data:<type>;base64,<data>", param);
  }
  return { data: source.url.slice(comma + 1), mediaType: (head.split(";")[0] ?? "").trim() };
}

/** The type and the pixels of the bytes, whatever the image is called. */
function checkBytes(
  bytes: Uint8Array,
  { declared, named }: { declared: SentType | undefined; named: string | undefined },
  param: string,
): Pick<CheckedImage, "type" | "pixels"> {
  const whole = inspectImage(bytes);
  // What is shown of an animation may be larger than it says of itself.
  const isShown = whole.kind !== "image" || whole.type !== "image/webp";
  const info = isShown ? whole : inspectImage(firstWebpFrame(bytes));
  switch (info.kind) {
    case "unknown":
      if (bytes[0] === 0x42 && bytes[1] === 0x4d) return { type: "image/bmp", pixels: 0 };
      if (declared !== undefined) throw corruptedImage(`its bytes are no ${declared}`, param);
      throw unsupportedImage(named || "its bytes are none of those that are known", param);
    case "broken":
      throw corruptedImage(info.reason, param);
    case "image":
      return { type: info.type, pixels: info.extent.width * info.extent.height };
  }
}
