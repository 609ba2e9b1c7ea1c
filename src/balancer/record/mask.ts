/**
 * Keys whose texts say nothing about anybody. A list of what stays, not of what goes: a text must
 * not end up in the history because nobody thought of its key.
 */
const HARMLESS = new Set([
  ...["model", "object", "type", "role", "id", "event", "status", "code", "param"],
  ...["finish_reason", "stop_reason", "system_fingerprint", "service_tier", "reasoning_effort"],
  ...["encoding_format", "tool_choice", "response_format", "detail", "effort", "summary_format"],
]);

/** Longer ones are no such word, whatever their key. */
const HARMLESS_CHARS_MAX = 128;

/** A string, with the colon behind it if it is a key. It may be cut off. */
const STRING = /"([^"\\]*(?:\\[\s\S][^"\\]*)*)("?)(\s*:)?/;
/** A list of numbers: token ids, embeddings. It may be cut off. */
const NUMBERS = /\[\s*-?[\d.][\d.eE+-]*(?:\s*,\s*[\d.eE+-]+){3,}\s*,?\s*(\]?)/;
const TOKENS = new RegExp(`${STRING.source}|${NUMBERS.source}`, "g");

/**
 * Replaces what was said by how long it was, and leaves the rest of a body readable: JSON, events
 * with JSON, and anything else as one text. It may be cut off anywhere.
 */
export function mask(text: string): string {
  const start = text.trimStart()[0];
  if (start === undefined) return text;
  if (start === "{" || start === "[") return maskJson(text);
  if (!/^\s*(?:data|event|id|retry)?:/.test(text)) return lengthOf(text);
  return text.split("\n").map(maskLine).join("\n");
}

function maskLine(line: string): string {
  const [, field = "", space = "", value = ""] =
    /^(data|event|id|retry|):(\s*)(.*)$/.exec(line) ?? [];
  if (line.trim() === "" || value === "[DONE]") return line;
  if (field === "data" && /^[{[]/.test(value)) return `data:${space}${maskJson(value)}`;
  if (field === "event" && /^[\w.]{1,64}\r?$/.test(value)) return line;
  return field === "" ? lengthOf(line) : `${field}:${space}${lengthOf(value)}`;
}

function maskJson(text: string): string {
  let key = "";
  return text.replace(TOKENS, (token, chars: string | undefined, quote, colon, closed) => {
    if (chars === undefined) return `[<${token.split(",").length} numbers>${closed}`;
    if (colon !== undefined) {
      key = chars;
      return token;
    }
    const harmless = HARMLESS.has(key) && chars.length <= HARMLESS_CHARS_MAX;
    if (harmless && quote === '"') return token;
    return chars === "" ? token : `"${lengthOf(chars)}${quote}`;
  });
}

function lengthOf(text: string): string {
  return `<${text.length} characters>`;
}
