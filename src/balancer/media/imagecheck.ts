import { decodeBase64, decodedBytes } from "./base64.ts";
import {
  corrupted,
  IMAGE_BYTES_MAX,
  imageFault,
  invalidBase64,
  tooLarge,
  unsupported,
} from "./errors.ts";
import { type ImageType, inspect } from "./image.ts";
import type { ImagePart } from "./imagepart.ts";

/** An image that is what it says. */
export interface CheckedImage {
  part: ImagePart;
  type: ImageType;
  bytes: Uint8Array;
}

const TYPES: Record<string, ImageType> = {
  "image/jpeg": "image/jpeg",
  "image/jpg": "image/jpeg",
  "image/png": "image/png",
  "image/gif": "image/gif",
  "image/webp": "image/webp",
};

/** Shown of what a client wrote. */
const SHOWN_CHARS = 60;

/** Whether an image has to be fetched. Throws 400 for an address that is neither http nor data. */
export function isRemote({ source, param }: ImagePart): boolean {
  if (source.kind !== "url") return false;
  if (/^data:/i.test(source.url)) return false;
  if (/^https?:\/\//i.test(source.url)) return true;
  if (!/^[a-z][a-z\d+.-]*:/i.test(source.url)) {
    throw invalidBase64("it begins neither with data: nor with http", param);
  }
  const scheme = source.url.slice(0, source.url.indexOf(":") + 1).slice(0, SHOWN_CHARS);
  const message = `Failed to fetch image: ${scheme} is not fetched. Send a data: or http(s) URL.`;
  throw imageFault("fetch_failed", message, param);
}

/**
 * Checks an image that the request brings along. Throws 400 `invalid_base64`, `unsupported_format`,
 * `image_too_large` or `corrupted_image`, each with the field.
 */
export function checkInline(part: ImagePart): CheckedImage {
  const { param } = part;
  const { data, mediaType } = inlineOf(part);
  const declared = mediaType === undefined ? undefined : TYPES[mediaType.toLowerCase()];
  if (mediaType !== undefined && declared === undefined) {
    throw unsupported(mediaType.slice(0, SHOWN_CHARS) || "none is named", param);
  }
  const expected = decodedBytes(data);
  if (expected > IMAGE_BYTES_MAX) throw tooLarge(expected, param);
  const decoded = decodeBase64(data);
  if ("reason" in decoded) throw invalidBase64(decoded.reason, param);
  const { bytes } = decoded;
  return { part, type: checkBytes(bytes, { declared, named: mediaType }, param), bytes };
}

/** Checks an image that was fetched; its bytes decide, whatever the server called them. */
export function checkFetched(
  part: ImagePart,
  bytes: Uint8Array,
  contentType: string,
): CheckedImage {
  const named = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const declared = inspect(bytes).kind === "unknown" ? TYPES[named] : undefined;
  return { part, type: checkBytes(bytes, { declared, named }, part.param), bytes };
}

/** `data:<type>;base64,<data>` (RFC 2397), or base64 alone. */
function inlineOf({ source, param }: ImagePart): { data: string; mediaType: string | undefined } {
  if (source.kind === "base64") return source;
  const comma = source.url.indexOf(",");
  const head = comma < 0 ? "" : source.url.slice("data:".length, comma);
  if (!/;\s*base64$/i.test(head)) {
    throw invalidBase64("the URL is not data:<type>;base64,<data>", param);
  }
  return { data: source.url.slice(comma + 1), mediaType: (head.split(";")[0] ?? "").trim() };
}

function checkBytes(
  bytes: Uint8Array,
  { declared, named }: { declared: ImageType | undefined; named: string | undefined },
  param: string,
): ImageType {
  const found = inspect(bytes);
  switch (found.kind) {
    case "unknown":
      if (declared !== undefined) throw corrupted(`its bytes are no ${declared}`, param);
      throw unsupported(named || "its bytes are none of those that are known", param);
    case "broken":
      throw corrupted(found.reason, param);
    case "image":
      if (declared === undefined || declared === found.type) return found.type;
      throw unsupported(`it is called ${declared}, but its bytes are ${found.type}`, param);
  }
}
