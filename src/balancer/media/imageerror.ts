import { REQUEST_PIXELS_MAX } from "../../lib/image/imageinfo.ts";
import { ApiError } from "../../wire/error.ts";

/** Codes of errors (400) about images of a request. */
export type ImageErrorCode =
  | "too_many_images"
  | "too_many_pixels"
  | "invalid_base64"
  | "unsupported_format"
  | "image_too_large"
  | "corrupted_image"
  | "fetch_failed"
  | "fetch_timeout";

/** Bytes of one image, after decoding its base64. */
export const IMAGE_BYTES_MAX = 10 * 1024 * 1024;

/** The error about an image; `param` is its field, e.g. `messages.0.content.1`. */
export function imageError(code: ImageErrorCode, message: string, param: string): ApiError {
  return new ApiError("invalid_request", message, { code, param });
}

/** The error for more images than one message may bring. */
export function tooManyImages(max: number, param: string): ApiError {
  const message = `Too many images (max ${max}). Send the rest in another message.`;
  return imageError("too_many_images", message, param);
}

/** The error for images that have too many pixels together. */
export function tooManyPixels(param: string): ApiError {
  const message = `Too many pixels: the images of a request may have ${REQUEST_PIXELS_MAX} \
together. Send fewer or smaller ones.`;
  return imageError("too_many_pixels", message, param);
}

/** The error for an image with too many bytes. */
export function imageTooLarge(bytes: number, param: string): ApiError {
  const message = `Image size exceeds limit (${bytes} bytes > ${IMAGE_BYTES_MAX} bytes). Send a \
smaller one.`;
  return imageError("image_too_large", message, param);
}

/** The error for a type of image that is not accepted; `what` names it. */
export function unsupportedImage(what: string, param: string): ApiError {
  const message = `Unsupported image format: ${what}. Send JPEG, PNG, GIF or WebP.`;
  return imageError("unsupported_format", message, param);
}

/** The error for bytes that begin like an image but are not one. */
export function corruptedImage(what: string, param: string): ApiError {
  return imageError("corrupted_image", `Corrupted image: ${what}. Send the whole file.`, param);
}

/** The error for a text that is not base64; `what` says why. */
export function invalidBase64(what: string, param: string): ApiError {
  return imageError("invalid_base64", `Invalid base64 encoding: ${what}.`, param);
}
