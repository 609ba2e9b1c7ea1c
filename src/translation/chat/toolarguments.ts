import { parseExactObject } from "../../lib/json.ts";

/**
 * Reads the arguments of a tool call; a blank text is a call without arguments. Undefined where the
 * text is not a JSON object.
 */
export function parseToolArguments(text: string): Record<string, unknown> | undefined {
  return text.trim() === "" ? {} : parseExactObject(text);
}
