import type { ChatPart } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";

/**
 * A message's `content` for a text and the images beside it, which stand in the list at the path
 * `at`; a string where there are no images. Throws `invalid_request` for one that is not an image.
 */
export function contentWithImages(
  text: string,
  images: readonly string[],
  at: string,
): string | ChatPart[] {
  if (images.length === 0) return text;
  const parts = images.map((image, i): ChatPart => {
    return { type: "image_url", image_url: { url: imageDataUrl(image, `${at}.${i}`) } };
  });
  return text === "" ? parts : [{ type: "text", text }, ...parts];
}

/** The first characters of each type of image, in base64. */
const TYPES_BY_START = [
  ["/9j/", "image/jpeg"],
  ["iVBORw0KGgo", "image/png"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
] as const;

function imageDataUrl(image: string, param: string): string {
  if (image.startsWith("data:")) return image;
  const type = TYPES_BY_START.find(([start]) => image.startsWith(start))?.[1];
  if (type !== undefined) return `data:${type};base64,${image}`;
  const message = `The image could not be read: \`${param}\` is no JPEG, PNG, GIF or WebP in \
base64.`;
  throw new ApiError("invalid_request", message, { code: "invalid_image", param });
}
