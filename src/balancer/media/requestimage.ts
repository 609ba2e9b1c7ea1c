import type { ImageType } from "../../lib/image/imageinfo.ts";
import type { InferenceRoute } from "../../wire/route.ts";

/** BMP is read by llama.cpp and others, not by clouds: it is left to them. */
export type SentType = ImageType | "image/bmp";

/** How an image stands in a request: as a URL (`data:` included) or as base64. */
export type ImageSource =
  | { kind: "url"; url: string }
  | { kind: "base64"; data: string; mediaType: string | undefined };

/** One image of a request. */
export interface RequestImage {
  /** Its field, e.g. `messages.0.content.1.image_url`. */
  param: string;
  source: ImageSource;
  /** Replaces it in the request that it was found in. */
  replace(type: SentType, base64: string): void;
}

/** The part of a route that says where images are in its requests. */
export type ImageRoute = Pick<InferenceRoute, "imagesIn">;

type Fields = Record<string, unknown>;

/** The field with inner blocks, by the type of a block. */
const NESTED: Record<string, string> = {
  tool_result: "content",
  function_call_output: "output",
  custom_tool_call_output: "output",
};

/** No API nests blocks deeper. */
const DEPTH_MAX = 4;

const NONE: RequestImage[] = [];

/**
 * The images of a parsed request, in order: parts of chat completions, items of Responses, blocks
 * of Anthropic's messages (in tool results and documents, too), `images` of Ollama's API. Anything
 * of another shape is left to the upstream.
 */
export function findImages(request: object, { imagesIn }: ImageRoute): RequestImage[] {
  const fields = request as Fields;
  if (imagesIn === undefined) return NONE;
  if (imagesIn === "") return ollamaImages(fields, "");
  const items = fields[imagesIn];
  if (!Array.isArray(items)) return NONE;
  let found = NONE;
  for (const [index, item] of items.entries()) {
    if (!isFields(item)) continue;
    const { content } = item;
    // Most messages are a text: no allocation for those.
    if (typeof content === "string" && item.images === undefined) continue;
    if (found === NONE) found = [];
    collect(item, `${imagesIn}.${index}`, found, DEPTH_MAX);
  }
  return found;
}

/** Whether a request has images. */
export function hasImages(request: object, route: ImageRoute): boolean {
  return findImages(request, route).length > 0;
}

/** Adds the images of a message, item or block to `found`. */
function collect(block: Fields, at: string, found: RequestImage[], depth: number): void {
  if (depth === 0) return;
  const { type } = block;
  const own = typeof type === "string" ? readBlock(block, type, at) : undefined;
  if (own !== undefined) found.push(own);
  found.push(...ollamaImages(block, `${at}.`));
  for (const [holder, field, where] of innerBlocks(block, type, at)) {
    const inner = holder[field];
    const list = Array.isArray(inner) ? inner : [inner];
    for (const [index, part] of list.entries()) {
      const place = list === inner ? `${where}.${index}` : where;
      if (isFields(part)) collect(part, place, found, depth - 1);
    }
  }
}

/** Where a block has inner blocks: holder, field, and the field's path. */
function innerBlocks(block: Fields, type: unknown, at: string): [Fields, string, string][] {
  if (type === "document" && isFields(block.source)) {
    return [[block.source, "content", `${at}.source.content`]];
  }
  if (type === "computer_call_output") return [[block, "output", `${at}.output`]];
  const nested = typeof type === "string" ? NESTED[type] : undefined;
  const field = nested ?? "content";
  return Array.isArray(block[field]) ? [[block, field, `${at}.${field}`]] : [];
}

function readBlock(block: Fields, type: string, at: string): RequestImage | undefined {
  if (type === "image_url" || type === "input_image" || type === "computer_screenshot") {
    return readUrl(block, at);
  }
  if (type !== "image" || !isFields(block.source)) return undefined;
  const { source } = block;
  const replace = (mediaType: SentType, data: string): void => {
    block.source = { type: "base64", media_type: mediaType, data };
  };
  const param = `${at}.source`;
  if (source.type === "url" && typeof source.url === "string") {
    return { param, source: { kind: "url", url: source.url }, replace };
  }
  if (source.type !== "base64" || typeof source.data !== "string") return undefined;
  const mediaType = typeof source.media_type === "string" ? source.media_type : undefined;
  return { param, source: { kind: "base64", data: source.data, mediaType }, replace };
}

/** `image_url` as a string or as `{url}`. */
function readUrl(block: Fields, at: string): RequestImage | undefined {
  const { image_url: value } = block;
  const holder = isFields(value) ? value : block;
  const field = isFields(value) ? "url" : "image_url";
  const url = holder[field];
  if (typeof url !== "string") return undefined;
  const replace = (type: SentType, base64: string): void => {
    holder[field] = `data:${type};base64,${base64}`;
  };
  return { param: `${at}.image_url`, source: { kind: "url", url }, replace };
}

function ollamaImages(holder: Fields, at: string): RequestImage[] {
  const { images } = holder;
  if (!Array.isArray(images)) return NONE;
  return images.flatMap((data: unknown, index): RequestImage[] => {
    if (typeof data !== "string") return [];
    const replace = (_: SentType, base64: string): void => {
      images[index] = base64;
    };
    const param = `${at}images.${index}`;
    return [{ param, source: { kind: "base64", data, mediaType: undefined }, replace }];
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
