import type { ChatRequest } from "../../../wire/chat.ts";
import type { GoogleRequest } from "../../../wire/google.ts";
import { unsupportedByGoogle } from "./errors.ts";
import { googleGenerationConfig } from "./generationconfig.ts";
import { googleContentsFromChat } from "./messages.ts";
import { placeholderSignature } from "./thoughtsignature.ts";
import { googleToolsFromChat } from "./tools.ts";

/**
 * The body of Google's request for a chat. `model` is Google's name of the model, without a folder.
 * Throws `invalid_request` for fields that change the answer and that Google cannot be asked.
 */
export function googleBodyFromChat(chat: ChatRequest, model: string): GoogleRequest {
  refuseUnsupported(chat);
  const generationConfig = googleGenerationConfig(chat, model);
  return {
    ...googleContentsFromChat(chat.messages, placeholderSignature(model)),
    ...googleToolsFromChat(chat),
    ...(generationConfig === undefined ? {} : { generationConfig }),
  };
}

function refuseUnsupported(request: ChatRequest): void {
  for (const [field, isRefused, reason] of REFUSED) {
    const value = request[field];
    if (value !== undefined && value !== null && isRefused(value)) {
      throw unsupportedByGoogle(field, reason);
    }
  }
}

const always = () => true;

/** Fields, which of their values are refused, and why. */
const REFUSED: [string, (value: unknown) => boolean, string][] = [
  ["logit_bias", (value) => Object.keys(Object(value)).length > 0, "Google has nothing like it"],
  ["functions", always, "it is outdated: use tools"],
  ["function_call", always, "it is outdated: use tool_choice"],
  ["web_search_options", always, "searching the web is not passed on"],
  ["audio", always, "answers can only be text"],
  [
    "modalities",
    (value) => !Array.isArray(value) || value.some((item) => item !== "text"),
    "answers can only be text",
  ],
];
