import { type Download, download } from "../../http/client/download.ts";
import { mapInTurns } from "../../lib/eventloop.ts";
import { REQUEST_PIXELS_MAX } from "../../lib/image/imageinfo.ts";
import { withExactDigits } from "../../lib/json.ts";
import { AT_ONCE_BYTES_MAX } from "../../lib/jsonturns.ts";
import { ApiError } from "../../wire/error.ts";
import { imagesAbandoned, toPng } from "./decoding.ts";
import { type CheckedImage, checkFetched, checkInline, isRemote } from "./imagecheck.ts";
import {
  IMAGE_BYTES_MAX,
  imageError,
  imageTooLarge,
  tooManyImages,
  tooManyPixels,
} from "./imageerror.ts";
import { findImages, type ImageRoute, type RequestImage } from "./requestimage.ts";

/** A request body: its bytes and their parsed JSON. */
export interface MediaBody<T extends object> {
  bytes: Uint8Array<ArrayBuffer>;
  value: T;
  /** Integers beyond 2^53 have their digits; else they may have lost them. */
  isExact: boolean;
}

export interface MediaOptions {
  /** The request's route, which says where images are in it. */
  route: ImageRoute;
  /** The client's request; its `signal` ends downloads. */
  client: { readonly signal: AbortSignal };
  /** Images may be fetched from private and loopback addresses. */
  allowPrivate: boolean;
  /** Largest body after images are put into it. */
  limitBytes: number;
  /** Images that the newest message may bring: clients send those before it again and again. */
  imagesMax: number;
  /** The upstream fetches images and reads every format: they are checked and mended only. */
  fetchedByUpstream?: boolean;
  /** Longest wait for all images of a request. Default: 30 s. */
  fetchTimeoutMs?: number;
}

const FETCH_MS_MAX = 30_000;

/** Images of one request that are fetched at the same time. */
const CONCURRENCY_MAX = 4;

/**
 * Checks the images of a request. Images given by URL are fetched and put into the request, WebP
 * becomes PNG, because llama.cpp cannot read WebP, and what only a strict reader would refuse is
 * mended. If nothing has to be changed, `body` itself is returned, not as a promise; otherwise
 * `value` is changed and `bytes` are written anew. Throws
 * 400 for an image that is refused, 413 for a body that becomes too large, `client_closed` if the
 * client closed its connection.
 */
export function prepareMedia<T extends object>(
  body: MediaBody<T>,
  options: MediaOptions,
): MediaBody<T> | Promise<MediaBody<T>> {
  const parts = findImages(body.value, options.route);
  if (parts.length === 0) return body;
  const extra = newestOf(parts, body.value, options.route)[options.imagesMax];
  if (extra !== undefined) throw tooManyImages(options.imagesMax, extra.param);
  const inline = parts.filter((part) => !isRemote(part));
  const finish = (checked: CheckedImage[]) => withReadableImages(body, { parts, checked }, options);
  if (body.bytes.byteLength <= AT_ONCE_BYTES_MAX) return finish(inline.map(checkInline));
  return mapInTurns(inline, checkInline).then(finish);
}

/** Puts those of a request's images in anew that have to be; `checked` are all but remote ones. */
function withReadableImages<T extends object>(
  body: MediaBody<T>,
  { parts, checked }: { parts: RequestImage[]; checked: CheckedImage[] },
  options: MediaOptions,
): MediaBody<T> | Promise<MediaBody<T>> {
  requirePixels(checked);
  const isLeft = options.fetchedByUpstream === true;
  const remote = isLeft ? [] : parts.filter(isRemote);
  const changed = checked.filter(
    ({ type, isExact }) => !isExact || (!isLeft && type === "image/webp"),
  );
  if (remote.length === 0 && changed.length === 0) return body;
  const value = withExactDigits(body);
  if (value === body.value) return rewrite(body, { remote, changed, checked }, options);
  const exact = findImages(value, options.route);
  const exactOf = (part: RequestImage) => exact[parts.indexOf(part)] ?? part;
  const images = {
    remote: remote.map(exactOf),
    changed: changed.map((image) => ({ ...image, part: exactOf(image.part) })),
    checked,
  };
  return rewrite({ ...body, value }, images, options);
}

/** Throws 400 if images have too many pixels together. */
function requirePixels(images: readonly CheckedImage[]): void {
  let sum = 0;
  for (const { pixels, part } of images) {
    sum += pixels;
    if (sum > REQUEST_PIXELS_MAX) throw tooManyPixels(part.param);
  }
}

/** The images of the last message or item. */
function newestOf(parts: RequestImage[], request: object, { imagesIn }: ImageRoute) {
  const items: unknown = imagesIn && Reflect.get(request, imagesIn);
  if (!Array.isArray(items)) return parts;
  const start = `${imagesIn}.${items.length - 1}.`;
  return parts.filter(({ param }) => param.startsWith(start));
}

interface ChangedImages {
  /** To be fetched. */
  remote: RequestImage[];
  changed: CheckedImage[];
  /** All that are not fetched. */
  checked: CheckedImage[];
}

async function rewrite<T extends object>(
  { value }: MediaBody<T>,
  { remote, changed, checked }: ChangedImages,
  options: MediaOptions,
): Promise<MediaBody<T>> {
  const fetched = remote.length === 0 ? [] : await fetchAll(remote, options);
  requirePixels([...checked, ...fetched]);
  const isLeft = options.fetchedByUpstream === true;
  let sizeBytes = 0;
  for (const image of [...fetched, ...changed]) {
    const isWebp = image.type === "image/webp" && !isLeft;
    const { type, bytes } = isWebp ? await toPng(image, options.client.signal) : image;
    sizeBytes += bytes.length;
    if (sizeBytes > options.limitBytes) throw tooLarge(options);
    image.part.replace(type, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toBase64());
  }
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  if (bytes.byteLength <= options.limitBytes) return { bytes, value, isExact: true };
  throw tooLarge(options);
}

function tooLarge({ limitBytes }: MediaOptions): ApiError {
  const message = `The request is too large with its images: at most ${limitBytes} bytes are sent \
on. Send fewer or smaller images.`;
  return new ApiError("body_too_large", message);
}

async function fetchAll(parts: RequestImage[], options: MediaOptions): Promise<CheckedImage[]> {
  const { signal } = options.client;
  const fetches = new AbortController();
  const end = () => fetches.abort();
  const timer = setTimeout(end, options.fetchTimeoutMs ?? FETCH_MS_MAX);
  signal.addEventListener("abort", end, { once: true });
  const images: CheckedImage[] = [];
  const remaining = parts.entries();
  let sizeBytes = 0;
  // The workers share the iterator: each takes the next image until there is none.
  const worker = async () => {
    for (const [index, part] of remaining) {
      const image = await fetchOne(part, options, fetches.signal);
      images[index] = image;
      sizeBytes += image.bytes.length;
      if (sizeBytes > options.limitBytes) throw tooLarge(options);
    }
  };
  try {
    if (signal.aborted) end();
    await Promise.all(Array.from({ length: CONCURRENCY_MAX }, worker));
    return images;
  } finally {
    // A fetch that failed ends the others.
    end();
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

async function fetchOne(
  part: RequestImage,
  { allowPrivate, client }: MediaOptions,
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
    if (client.signal.aborted) throw imagesAbandoned(cause);
    const message = "Failed to fetch image: it took too long. Send it as a data: URL.";
    throw imageError("fetch_timeout", message, param);
  }
  if (result.ok) return checkFetched(part, result.bytes, result.contentType);
  if (result.why === "too_large") throw imageTooLarge(result.bytes, param);
  const message = `Failed to fetch image: ${result.reason}.`;
  throw imageError("fetch_failed", message, param);
}
