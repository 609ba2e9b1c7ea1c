import type { InferenceRoute } from "../../wire/route.ts";
import type { ImageType } from "./image.ts";

/** How a request gives an image: by an address (`data:` included), or as base64. */
export type ImageSource =
  | { kind: "url"; url: string }
  | { kind: "base64"; data: string; mediaType: string | undefined };

/** One image of a request. */
export interface ImagePart {
  /** The field it stands in, e.g. `messages.0.content.1.image_url`. */
  param: string;
  source: ImageSource;
  /** Puts an image in its place, in the request that it was found in. */
  replace(type: ImageType, base64: string): void;
}

/** A route, which says where in its requests images are. */
export type ImageRoute = Pick<InferenceRoute, "imagesIn">;

type Fields = Record<string, unknown>;

/** Blocks that have others in them: where. */
const NESTED: Record<string, string> = {
  tool_result: "content",
  function_call_output: "output",
  custom_tool_call_output: "output",
};

/** Deeper than any API nests blocks. */
const DEPTH_MAX = 4;

const NONE: ImagePart[] = [];

/**
 * The images of a parsed request, in order: parts of chat completions, items of responses, blocks
 * of Anthropic's messages (in tool results and documents too), `images` of Ollama's API. What is
 * not shaped as they are is left to whoever reads the request next.
 */
export function findImages(request: object, { imagesIn }: ImageRoute): ImagePart[] {
  const fields = request as Fields;
  if (imagesIn === undefined) return NONE;
  if (imagesIn === "") return ollamaImages(fields, "");
  const items = fields[imagesIn];
  if (!Array.isArray(items)) return NONE;
  let found = NONE;
  for (const [index, item] of items.entries()) {
    if (!isFields(item)) continue;
    const { content } = item;
    // Most messages are a text; nothing is made for those.
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

/** Adds what a message, item or block has. */
function collect(block: Fields, at: string, found: ImagePart[], depth: number): void {
  if (depth === 0) return;
  const { type } = block;
  const own = typeof type === "string" ? readBlock(block, type, at) : undefined;
  if (own !== undefined) found.push(own);
  found.push(...ollamaImages(block, `${at}.`));
  for (const [holder, field, where] of insides(block, type, at)) {
    const inner = holder[field];
    const list = Array.isArray(inner) ? inner : [inner];
    for (const [index, part] of list.entries()) {
      const place = list === inner ? `${where}.${index}` : where;
      if (isFields(part)) collect(part, place, found, depth - 1);
    }
  }
}

/** The fields of a block in which others may stand. */
function insides(block: Fields, type: unknown, at: string): [Fields, string, string][] {
  if (type === "document" && isFields(block.source)) {
    return [[block.source, "content", `${at}.source.content`]];
  }
  if (type === "computer_call_output") return [[block, "output", `${at}.output`]];
  const nested = typeof type === "string" ? NESTED[type] : undefined;
  const field = nested ?? "content";
  return Array.isArray(block[field]) ? [[block, field, `${at}.${field}`]] : [];
}

function readBlock(block: Fields, type: string, at: string): ImagePart | undefined {
  if (type === "image_url" || type === "input_image" || type === "computer_screenshot") {
    return readUrl(block, at);
  }
  if (type !== "image" || !isFields(block.source)) return undefined;
  const { source } = block;
  const replace = (mediaType: ImageType, data: string): void => {
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

/** `image_url` as a text or as `{url}`. */
function readUrl(block: Fields, at: string): ImagePart | undefined {
  const given = block.image_url;
  const holder = isFields(given) ? given : block;
  const field = isFields(given) ? "url" : "image_url";
  const url = holder[field];
  if (typeof url !== "string") return undefined;
  const replace = (type: ImageType, base64: string): void => {
    holder[field] = `data:${type};base64,${base64}`;
  };
  return { param: `${at}.image_url`, source: { kind: "url", url }, replace };
}

function ollamaImages(holder: Fields, at: string): ImagePart[] {
  const { images } = holder;
  if (!Array.isArray(images)) return NONE;
  return images.flatMap((data: unknown, index): ImagePart[] => {
    if (typeof data !== "string") return [];
    const replace = (_: ImageType, base64: string): void => {
      images[index] = base64;
    };
    const param = `${at}images.${index}`;
    return [{ param, source: { kind: "base64", data, mediaType: undefined }, replace }];
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
