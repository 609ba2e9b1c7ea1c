import { ApiError } from "../../../wire/error.ts";
import { StatefulRequest } from "../../../wire/responses.ts";

/**
 * Refuses a request to `/v1/responses` that needs something kept from an earlier one, for use where
 * no endpoint keeps any. Throws `invalid_request` with code `unsupported_state`.
 */
export function refuseStatefulFields(request: unknown): void {
  const fields = StatefulRequest.safeParse(request).data;
  if (fields === undefined) return;
  const { previous_response_id, conversation, prompt, background, input } = fields;
  if (isGiven(previous_response_id)) {
    throw unsupported("previous_response_id", "Send the whole conversation in `input` instead");
  }
  if (isGiven(conversation)) {
    throw unsupported("conversation", "Send the whole conversation in `input` instead");
  }
  if (isGiven(prompt)) {
    throw unsupported("prompt", "Send the text of the template in `instructions` and `input`");
  }
  if (background === true) {
    throw unsupported("background", "Leave it out and wait for the answer, or stream it");
  }
  const at = Array.isArray(input) ? input.findIndex(isReference) : -1;
  if (at >= 0) throw unsupported(`input.${at}`, "Send the item itself instead of its id");
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** An item that only names another; `type` may be left out. */
function isReference(item: unknown): boolean {
  if (typeof item !== "object" || item === null) return false;
  const type = "type" in item ? item.type : undefined;
  if (type === "item_reference") return true;
  return !isGiven(type) && "id" in item && !("role" in item);
}

function unsupported(param: string, remedy: string): ApiError {
  const message = `The response cannot be made: \`${param}\` needs what was kept of an earlier \
request, and no endpoint of this model is known to keep it. ${remedy}.`;
  return new ApiError("invalid_request", message, { code: "unsupported_state", param });
}
