import { ApiError } from "../../../wire/error.ts";

/** A 400 for an item, or a part of one, that chat completions cannot express. */
export function unsupportedItem(param: string, what: string): ApiError {
  const message = `The response cannot be made: the endpoints of this model speak chat \
completions, which have no ${what}. Take \`${param}\` out, or send its content.`;
  return new ApiError("invalid_request", message, { code: "unsupported_value", param });
}
