import { parseObject } from "../../lib/json.ts";
import { mask } from "./mask.ts";

/** A longer answer is more than an error's message. */
const BODY_CHARS_MAX = 8192;
const MESSAGE_CHARS_MAX = 300;

/** A quote at either end of a word, which is no apostrophe. */
const QUOTES = /(?<!\p{L})['"`‘“«「’”»」]|['"`‘“«「’”»」](?!\p{L})/gu;
const OPENING = /(?<![\p{L}\p{N}])['"`‘“«「]/u;
const CLOSING = /^['"`’”»」](?![\p{L}\p{N}])/u;
const MASKED = /^<\d+ characters>$/;

/**
 * As `mask`, but the message of an error stays, for it says why a request failed. What it quotes
 * is left out, since that may be what was said.
 */
export function maskError(text: string): string {
  const masked = mask(text);
  if (text.length > BODY_CHARS_MAX) return masked;
  const [from, to] = [messageIn(text), messageIn(masked)];
  if (from === undefined || to === undefined) return masked;
  to.holder[to.key] = withoutQuotations(String(from.holder[from.key]).slice(0, MESSAGE_CHARS_MAX));
  return JSON.stringify(to.answer);
}

/** What stands between the first and the last quote goes, or all to the end if that one opens. */
function withoutQuotations(message: string): string {
  const open = message.search(OPENING);
  if (open < 0) return message;
  const last = [...message.matchAll(QUOTES)].at(-1)?.index ?? open;
  const close = last > open && CLOSING.test(message.slice(last)) ? last : message.length;
  const quoted = message.slice(open + 1, close);
  const shown = MASKED.test(quoted) ? quoted : `<${quoted.length} characters>`;
  return message.slice(0, open + 1) + shown + message.slice(close);
}

/** Where an error's message is in an answer: as OpenAI, Anthropic and Google have it, or Ollama. */
function messageIn(text: string) {
  const answer = parseObject(text);
  if (answer === undefined) return undefined; // a page, a stream, or cut off
  const holder = isObject(answer.error) ? answer.error : answer;
  const key = ["message", "error"].find((name) => typeof holder[name] === "string");
  return key === undefined ? undefined : { answer, holder, key };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
