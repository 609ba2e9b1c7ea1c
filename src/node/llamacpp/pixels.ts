import { extentOf, IMAGE_PIXELS_MAX, REQUEST_PIXELS_MAX } from "../../lib/image/imageinfo.ts";
import { ApiError } from "../../wire/error.ts";
import { isObject } from "./schemaparts.ts";

/** Characters of an image's base64 in which its extent stands; a camera writes much before it. */
const HEAD_CHARACTERS = 1024 * 1024;

/** An image of a request: its field, and its base64. */
interface InlineImage {
  param: string;
  data: string;
}

/**
 * Throws 400 for images that an engine had to decode into more memory than a request may take: a
 * file of some kilobytes may claim gigabytes.
 */
export function requirePixels(request: Record<string, unknown>): void {
  let sum = 0;
  for (const { param, data } of [...imagesOfChat(request), ...imagesOfPrompt(request)]) {
    const extent = extentOf(Buffer.from(data.slice(0, HEAD_CHARACTERS), "base64"));
    const pixels = extent === undefined ? 0 : extent.width * extent.height;
    sum += pixels;
    if (pixels > IMAGE_PIXELS_MAX) throw tooMany(param, `an image may have ${IMAGE_PIXELS_MAX}`);
    if (sum <= REQUEST_PIXELS_MAX) continue;
    throw tooMany(param, `the images of a request may have ${REQUEST_PIXELS_MAX} together`);
  }
}

function imagesOfChat({ messages }: Record<string, unknown>): InlineImage[] {
  if (!Array.isArray(messages)) return [];
  return messages.flatMap((message: unknown, i) => {
    const content = isObject(message) ? message.content : undefined;
    if (!Array.isArray(content)) return [];
    return content.flatMap((part: unknown, j): InlineImage[] => {
      const image = isObject(part) && part.type === "image_url" ? part.image_url : undefined;
      if (!isObject(image) || typeof image.url !== "string") return [];
      const data = image.url.slice(image.url.indexOf(",") + 1);
      return [{ param: `messages.${i}.content.${j}.image_url`, data }];
    });
  });
}

/** `multimodal_data` beside a text: llama-server's own way. */
function imagesOfPrompt({ prompt }: Record<string, unknown>): InlineImage[] {
  const prompts: unknown[] = Array.isArray(prompt) ? prompt : [prompt];
  return prompts.flatMap((one) => {
    const data = isObject(one) ? one.multimodal_data : undefined;
    if (!Array.isArray(data)) return [];
    const texts = data.filter((text) => typeof text === "string");
    return texts.map((text) => ({ param: "prompt", data: text }));
  });
}

function tooMany(param: string, limit: string): ApiError {
  const message = `Too many pixels: ${limit}. Send fewer or smaller images.`;
  return new ApiError("invalid_request", message, { code: "too_many_pixels", param });
}
