import { ApiError } from "../../../wire/error.ts";

/** A 400 (`invalid_request`) for a field that Google cannot be asked. */
export function unsupportedByGoogle(param: string, reason: string): ApiError {
  const message = `The request could not be put to Google: \`${param}\`: ${reason}.`;
  return new ApiError("invalid_request", message, { param });
}

/** A 422 (`tool_call_failed`) for an answer that the model itself wrote wrong. */
export function failedGoogleAnswer(reason: string): ApiError {
  const message = `The model's answer could not be used: Google ended it with ${reason}. Send the \
request again.`;
  return new ApiError("tool_call_failed", message);
}

/** A 502 (`upstream`) for an answer of Google's that cannot be used. */
export function unreadableGoogleAnswer(reason: string, cause?: unknown): ApiError {
  const message = `Reading Google's answer failed: ${reason}. Try again.`;
  return new ApiError("upstream", message, { cause });
}
