import { ApiError } from "../../wire/error.ts";

/** What can be wrong with the images of a request; all of it is a 400 of the client. */
export type ImageFault =
  | "too_many_images"
  | "invalid_base64"
  | "unsupported_format"
  | "image_too_large"
  | "corrupted_image"
  | "fetch_failed"
  | "fetch_timeout";

/** Images of one request, over all messages. */
export const IMAGES_MAX = 10;

/** Size of one image once it is decoded. */
export const IMAGE_BYTES_MAX = 10 * 1024 * 1024;

/** The refusal of an image; `param` is the field it stands in, e.g. `messages.0.content.1`. */
export function imageFault(fault: ImageFault, message: string, param: string): ApiError {
  return new ApiError("invalid_request", message, { code: fault, param });
}

/** More images than one request may have. */
export function tooMany(param: string): ApiError {
  const message = `Too many images (max ${IMAGES_MAX}). Send the rest in another request.`;
  return imageFault("too_many_images", message, param);
}

/** An image of more bytes than are taken. */
export function tooLarge(bytes: number, param: string): ApiError {
  const message = `Image size exceeds limit (${bytes} bytes > ${IMAGE_BYTES_MAX} bytes). Send a \
smaller one.`;
  return imageFault("image_too_large", message, param);
}

/** A kind of image that is not taken; `what` names it. */
export function unsupported(what: string, param: string): ApiError {
  const message = `Unsupported image format: ${what}. Send JPEG, PNG, GIF or WebP.`;
  return imageFault("unsupported_format", message, param);
}

/** Bytes that begin as an image but are none. */
export function corrupted(what: string, param: string): ApiError {
  return imageFault("corrupted_image", `Corrupted image: ${what}. Send the whole file.`, param);
}

/** Text that is no base64; `what` says where. */
export function invalidBase64(what: string, param: string): ApiError {
  return imageFault("invalid_base64", `Invalid base64 encoding: ${what}.`, param);
}
