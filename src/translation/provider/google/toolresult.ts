import { parseObject } from "../../../lib/json.ts";
import type { GooglePart } from "../../../wire/google.ts";
import { type ChatContent, googlePartsFromChat } from "./contentparts.ts";

/**
 * The parts for a tool's message, which stands at the path `at`: the result of the call, then its
 * images and files.
 */
export function googleToolResult(
  call: { id: string; name: string },
  content: ChatContent,
  at: string,
): GooglePart[] {
  const parts = googlePartsFromChat(content, `${at}.content`);
  const text = parts.map((part) => part.text ?? "").join("");
  const attachments = parts.filter((part) => part.text === undefined);
  return [{ functionResponse: { ...call, response: resultObject(text) } }, ...attachments];
}

/**
 * The object that Google requires as a result: the text's own, if the text is a JSON object that
 * survives parsing and writing (large numbers do not); else an object whose `output` is the text.
 */
function resultObject(text: string): Record<string, unknown> {
  const json = parseObject(text);
  const withoutSpaces = text.replace(
    /("(?:[^"\\]|\\.)*")|\s+/g,
    (_, quoted: string | undefined) => quoted ?? "",
  );
  if (json === undefined || "output" in json || "error" in json) return { output: text };
  return JSON.stringify(json) === withoutSpaces ? json : { output: text };
}
