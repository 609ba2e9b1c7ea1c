import { type Download, download } from "../../http/client/download.ts";
import { ApiError } from "../../wire/error.ts";
import { corrupted, IMAGE_BYTES_MAX, IMAGES_MAX, imageFault, tooLarge, tooMany } from "./errors.ts";
import { type CheckedImage, checkFetched, checkInline, isRemote } from "./imagecheck.ts";
import { findImages, type ImagePart, type ImageRoute } from "./imagepart.ts";

/** A request body: its bytes and what was parsed of them. */
export interface MediaBody<T extends object> {
  bytes: Uint8Array<ArrayBuffer>;
  value: T;
}

export interface MediaOptions {
  /** The request's route, which says where images are in it. */
  route: ImageRoute;
  /** The client's request; its `signal` ends downloads. */
  caller: { readonly signal: AbortSignal };
  /** Images may be fetched from private and loopback addresses. */
  allowPrivate: boolean;
  /** Largest body that may come of it. */
  limitBytes: number;
  /** The endpoint fetches images and reads every format itself: they are only checked. */
  handOn?: boolean;
  /** Longest wait for all images of a request. Default: 30 s. */
  fetchTimeoutMs?: number;
}

const FETCH_MS_MAX = 30_000;

/** Images of one request that are fetched at the same time. */
const FETCHES_MAX = 4;

/**
 * Checks the images of a request and puts those that are given by URL into it, and WebP as PNG,
 * because engines of llama.cpp read no WebP. A request to which nothing of that applies comes back
 * as it is, at once; of any other `value` is changed and written anew. Throws 400 for an image that
 * is refused, 413 for a body that became too large, `client_closed` if the client went meanwhile.
 */
export function prepareMedia<T extends object>(
  body: MediaBody<T>,
  options: MediaOptions,
): MediaBody<T> | Promise<MediaBody<T>> {
  const parts = findImages(body.value, options.route);
  if (parts.length === 0) return body;
  const extra = parts[IMAGES_MAX];
  if (extra !== undefined) throw tooMany(extra.param);
  const remote = parts.filter(isRemote);
  const inline = parts.filter((part) => !remote.includes(part)).map(checkInline);
  if (options.handOn === true) return body;
  const webps = inline.filter(({ type }) => type === "image/webp");
  return remote.length === 0 && webps.length === 0
    ? body
    : rewrite(body, { remote, webps }, options);
}

async function rewrite<T extends object>(
  { value }: MediaBody<T>,
  { remote, webps }: { remote: ImagePart[]; webps: CheckedImage[] },
  options: MediaOptions,
): Promise<MediaBody<T>> {
  const fetched = remote.length === 0 ? [] : await fetchAll(remote, options);
  for (const image of [...fetched, ...webps]) {
    const { type, bytes } = image.type === "image/webp" ? await asPng(image) : image;
    image.part.replace(type, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toBase64());
  }
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  if (bytes.byteLength <= options.limitBytes) return { bytes, value };
  const message = `The request is too large with its images: at most ${options.limitBytes} bytes \
are sent on. Send fewer or smaller images.`;
  throw new ApiError("body_too_large", message);
}

async function fetchAll(parts: ImagePart[], options: MediaOptions): Promise<CheckedImage[]> {
  const { signal } = options.caller;
  const ended = new AbortController();
  const end = () => ended.abort();
  const timer = setTimeout(end, options.fetchTimeoutMs ?? FETCH_MS_MAX);
  signal.addEventListener("abort", end, { once: true });
  const images: CheckedImage[] = [];
  const left = parts.entries();
  // Each takes the next image from the same list until there is none.
  const worker = async () => {
    for (const [index, part] of left) images[index] = await fetchOne(part, options, ended.signal);
  };
  try {
    if (signal.aborted) end();
    await Promise.all(Array.from({ length: FETCHES_MAX }, worker));
    return images;
  } finally {
    // One that failed ends the others.
    end();
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

async function fetchOne(
  part: ImagePart,
  { allowPrivate, caller }: MediaOptions,
  signal: AbortSignal,
): Promise<CheckedImage> {
  const { source, param } = part;
  const url = source.kind === "url" ? source.url : "";
  let result: Download;
  try {
    const limits = { allowPrivate, limitBytes: IMAGE_BYTES_MAX, signal };
    result = await download(url, { ...limits, accept: "image/*" });
  } catch (cause) {
    if (!signal.aborted) throw cause;
    if (caller.signal.aborted) {
      const message = "The request was given up: its client closed the connection.";
      throw new ApiError("client_closed", message, { cause });
    }
    const message = "Failed to fetch image: it took too long. Send it as a data: URL.";
    throw imageFault("fetch_timeout", message, param);
  }
  if (result.ok) return checkFetched(part, result.bytes, result.contentType);
  if (result.why === "too_large") throw tooLarge(result.bytes, param);
  const message = `Failed to fetch image: ${result.reason}.`;
  throw imageFault("fetch_failed", message, param);
}

/** The same pixels; of an animation the first frame. */
async function asPng({ part, bytes }: CheckedImage) {
  try {
    // A copy: decoding happens in another thread.
    const png = await new Bun.Image(new Uint8Array(bytes)).png().bytes();
    return { type: "image/png" as const, bytes: png };
  } catch {
    // Whatever the decoder found, it is no image.
    throw corrupted("it cannot be decoded", part.param);
  }
}
