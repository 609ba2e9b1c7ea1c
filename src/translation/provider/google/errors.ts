import { ApiError } from "../../../wire/error.ts";

/** A 400 (`invalid_request`) for a field that Google cannot be asked. */
export function unsupportedByGoogle(param: string, reason: string): ApiError {
  const message = `The request could not be put to Google: \`${param}\`: ${reason}.`;
  return new ApiError("invalid_request", message, { param });
}

/** A 502 (`upstream`) for an answer of Google's that cannot be used. */
export function unreadableGoogleAnswer(reason: string, cause?: unknown): ApiError {
  const message = `Reading Google's answer failed: ${reason}. Try again.`;
  return new ApiError("upstream", message, { cause });
}
