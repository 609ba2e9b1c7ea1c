import { Semaphore } from "../../lib/semaphore.ts";
import { ApiError } from "../../wire/error.ts";
import type { CheckedImage } from "./imagecheck.ts";
import { corruptedImage } from "./imageerror.ts";
import { firstWebpFrame } from "./webpframe.ts";

/** The usual images have fewer pixels, and are decoded within a tenth of a second or two. */
const SMALL_PIXELS_MAX = 4 * 1024 * 1024;

/**
 * Of the whole process: the largest image takes half a GiB and a core for seconds. The usual ones
 * have a place of their own, so that they do not wait for a queue of those.
 */
const decoders = { small: new Semaphore(1), large: new Semaphore(1) };

/**
 * An image as PNG with the same pixels; the first frame of an animation. It is decoded in another
 * thread, one at a time of its size. Throws 400, and `client_closed` if the client leaves before
 * its turn.
 */
export async function toPng(
  { part, bytes, pixels }: CheckedImage,
  signal: AbortSignal,
): Promise<{ type: "image/png"; bytes: Uint8Array }> {
  const decoder = pixels <= SMALL_PIXELS_MAX ? decoders.small : decoders.large;
  using _ = await decoder.acquire(signal).catch((cause) => {
    throw imagesAbandoned(cause);
  });
  try {
    // A copy, because the other thread reads it.
    const png = await new Bun.Image(new Uint8Array(firstWebpFrame(bytes))).png().bytes();
    return { type: "image/png", bytes: png };
  } catch {
    // Whatever the decoder reports, the image cannot be used.
    throw corruptedImage("it cannot be decoded", part.param);
  }
}

/** The error of a request whose client left while its images were prepared. */
export function imagesAbandoned(cause: unknown): ApiError {
  const message = "The request was given up: its client closed the connection.";
  return new ApiError("client_closed", message, { cause });
}
