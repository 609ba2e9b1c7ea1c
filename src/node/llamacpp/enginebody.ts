import { ApiError } from "../../wire/error.ts";
import { withReadableHistory } from "./history.ts";
import { withPlainDataUrls } from "./images.ts";
import { requireLimits } from "./limits.ts";
import { withEnforcedPatterns } from "./patterns.ts";
import { requirePixels } from "./pixels.ts";
import { isPlainChat } from "./plainchat.ts";
import { withoutEmptyStops } from "./stops.ts";
import { withOneSystem } from "./systemmessage.ts";
import { withChosenTools } from "./toolchoice.ts";

/**
 * A request in the form in which an engine answers it as its API says. Returns the same object if
 * it may stay as it is. Throws `invalid_request` for what an engine cannot or must not be asked.
 */
export type Adaptation = (body: Record<string, unknown>) => Record<string, unknown>;

/** For requests that are neither chats nor completions. */
export const engineRequest: Adaptation = (body) => {
  requireLimits(body);
  return body;
};

/** For completions: a prompt as it stands. */
export const engineCompletion: Adaptation = (body) => {
  requireLimits(body);
  requirePixels(body);
  requireOneGrammar(body);
  return withoutEmptyStops(withEnforcedPatterns(body));
};

/** For chats. */
export const engineChat: Adaptation = (body) => (isPlainChat(body) ? body : adaptedChat(body));

/** For chats that may have to be another one. */
export const adaptedChat: Adaptation = (body) => {
  const chat = withOneSystem(withChosenTools(engineCompletion(body)));
  return withPlainDataUrls(withReadableHistory(chat));
};

/** The engine would take one of them and say nothing about the other. */
function requireOneGrammar(body: Record<string, unknown>): void {
  const { grammar, response_format: format } = body;
  const hasFormat = typeof format === "object" && format !== null && !isText(format);
  const other =
    body.json_schema != null ? "json_schema" : hasFormat ? "response_format" : undefined;
  if (typeof grammar !== "string" || grammar === "" || other === undefined) return;
  const message = `The request is invalid: \`grammar\` and \`${other}\` exclude each other.`;
  throw new ApiError("invalid_request", message, { param: "grammar" });
}

function isText(format: object): boolean {
  return "type" in format && format.type === "text";
}
