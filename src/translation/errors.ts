import { ApiError } from "../wire/error.ts";

/**
 * A 400 (`invalid_request`) for a field of the request that is wrong, or that the upstream's API
 * cannot express. `param` is the path of the field; "" is the body itself.
 */
export function invalidField(param: string, reason: string): ApiError {
  const place = param === "" ? "the body" : `\`${param}\``;
  return new ApiError("invalid_request", `The request is invalid: ${place} ${reason}.`, {
    ...(param === "" ? {} : { param }),
  });
}

/** A 502 (`upstream`) for an upstream's answer that cannot be understood. */
export function unreadableAnswer(reason: string, cause?: unknown): ApiError {
  const message = `The endpoint's answer could not be read: ${reason}. Send the request again.`;
  return new ApiError("upstream", message, { code: "invalid_answer", cause });
}

/** A 422 (`tool_call_failed`) for a call with arguments that are not a JSON object. */
export function unreadableArguments(name: string): ApiError {
  const message = `The model's call of \`${name.slice(0, 200)}\` could not be read: its arguments \
are no JSON object. Send the request again.`;
  return new ApiError("tool_call_failed", message);
}

/** The error that a client gets for whatever was thrown while a stream was read. */
export function streamError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const message = "The answer broke off: it could not be read. Try again.";
  return new ApiError("upstream", message, { code: "invalid_answer", cause: thrown });
}
