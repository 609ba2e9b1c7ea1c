import { ApiError } from "../../../wire/error.ts";
import { StatefulRequest } from "../../../wire/responses.ts";

/**
 * Why a request to `/v1/responses` cannot be answered where nothing is stored of an earlier one
 * (`invalid_request`, code `unsupported_state`); undefined: it needs nothing of the kind.
 */
export function statefulFieldRefusal(request: unknown): ApiError | undefined {
  const fields = StatefulRequest.safeParse(request).data;
  if (fields === undefined) return undefined;
  const { previous_response_id, conversation, prompt, background, input } = fields;
  if (isPresent(previous_response_id)) {
    return unsupported("previous_response_id", "Send the whole conversation in `input` instead");
  }
  if (isPresent(conversation)) {
    return unsupported("conversation", "Send the whole conversation in `input` instead");
  }
  if (isPresent(prompt)) {
    return unsupported("prompt", "Send the text of the template in `instructions` and `input`");
  }
  if (background === true) {
    return unsupported("background", "Leave it out and wait for the answer, or stream it");
  }
  const at = Array.isArray(input) ? input.findIndex(isReference) : -1;
  return at < 0 ? undefined : unsupported(`input.${at}`, "Send the item itself instead of its id");
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Whether an item is only the id of an earlier one; `type` may be left out. */
function isReference(item: unknown): boolean {
  if (typeof item !== "object" || item === null) return false;
  const type = "type" in item ? item.type : undefined;
  if (type === "item_reference") return true;
  return !isPresent(type) && "id" in item && !("role" in item);
}

function unsupported(param: string, remedy: string): ApiError {
  const message = `The response cannot be made: \`${param}\` needs what was kept of an earlier \
request, and no endpoint of this model is known to keep it. ${remedy}.`;
  return new ApiError("invalid_request", message, { code: "unsupported_state", param });
}
