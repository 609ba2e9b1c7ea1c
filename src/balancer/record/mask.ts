/**
 * Keys whose texts are kept, because they are no content. All other texts are masked, so that a key
 * that is missing here hides too much, not too little.
 */
const KEPT_KEYS = [
  ...["model", "object", "type", "role", "id", "event", "status", "code", "param"],
  ...["finish_reason", "stop_reason", "system_fingerprint", "service_tier", "reasoning_effort"],
  ...["encoding_format", "tool_choice", "response_format", "detail", "effort", "summary_format"],
];

/** The same by their lengths: a key is not cut out of its body to be looked up. */
const KEPT_BY_LENGTH = Array.from({ length: 32 }, (_, length) =>
  KEPT_KEYS.filter((key) => key.length === length),
);

/** A longer text is masked whatever its key. */
const KEPT_CHARS_MAX = 128;

/** What stands for a text that is masked; it stays as it is where a body is masked again. */
const MASKED = /^<\d+ characters>$/;

/** A list of numbers (token ids, an embedding), which may be cut off. */
const NUMBERS = /\[\s*-?[\d.][\d.eE+-]*(?:\s*,\s*[\d.eE+-]+){3,}\s*,?\s*(\]?)/y;

const EVENT_WITH_OBJECT = "data: {";
const [LIST, BACKSLASH, COLON] = [0x5b, 0x5c, 0x3a];

/**
 * Replaces the texts of a body by their lengths and keeps the rest readable. A body is JSON, or
 * events with JSON; anything else is one text. It may be cut off anywhere.
 */
export function mask(text: string): string {
  const start = text.trimStart()[0];
  if (start === undefined) return text;
  if (start === "{" || start === "[") return maskJson(text);
  if (!/^\s*(?:data|event|id|retry)?:/.test(text)) return lengthOf(text);
  return text.split("\n").map(maskLine).join("\n");
}

function maskLine(line: string): string {
  if (line === "") return line;
  if (line.startsWith(EVENT_WITH_OBJECT)) return maskJson(line);
  const [, field = "", space = "", value = ""] =
    /^(data|event|id|retry|):(\s*)(.*)$/.exec(line) ?? [];
  if (line.trim() === "" || value === "[DONE]") return line;
  if (field === "data" && /^[{[]/.test(value)) return `data:${space}${maskJson(value)}`;
  if (field === "event" && /^[\w.]{1,64}\r?$/.test(value)) return line;
  return field === "" ? lengthOf(line) : `${field}:${space}${lengthOf(value)}`;
}

/** Jumps from string to string with `indexOf`, which is much faster than a loop over characters. */
function maskJson(text: string): string {
  const escapes = text.includes("\\");
  let out = "";
  /** Where the text begins that is not in `out` yet. */
  let copied = 0;
  let [keyStart, keyEnd] = [0, 0];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const list = listBefore(text, at, quote < 0 ? text.length : quote);
    if (list !== undefined) {
      out += text.slice(copied, list.start) + list.masked;
      copied = list.end;
      at = list.end;
      continue;
    }
    if (quote < 0) break;
    const start = quote + 1;
    const close = escapes ? closingQuote(text, start) : text.indexOf('"', start);
    const end = close < 0 ? endOfCut(text, start) : close;
    if (close >= 0 && isColon(text, close + 1)) [keyStart, keyEnd] = [start, end];
    else if (end > start) {
      const isWord = close >= 0 && end - start <= KEPT_CHARS_MAX;
      const isShown = isWord && isKept(text, keyStart, keyEnd);
      if (!isShown && !(isWord && MASKED.test(text.slice(start, end)))) {
        out += `${text.slice(copied, start)}<${end - start} characters>`;
        copied = end;
      }
    }
    at = close < 0 ? text.length : close + 1;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function isKept(text: string, start: number, end: number): boolean {
  for (const key of KEPT_BY_LENGTH[end - start] ?? []) if (text.startsWith(key, start)) return true;
  return false;
}

/** The first list of numbers that begins between two positions, and its masked form. */
function listBefore(text: string, from: number, until: number) {
  for (let at = from; at < until; at += 1) {
    if (text.charCodeAt(at) !== LIST) continue;
    NUMBERS.lastIndex = at;
    const found = NUMBERS.exec(text);
    if (found === null) continue;
    const [list, closed = ""] = found;
    const masked = `[<${list.split(",").length} numbers>${closed}`;
    return { start: at, end: at + list.length, masked };
  }
  return undefined;
}

/** The position of the next quote that is not escaped; -1 if there is none. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = at;
    while (slashes > from && text.charCodeAt(slashes - 1) === BACKSLASH) slashes -= 1;
    if ((at - slashes) % 2 === 0) return at;
  }
  return -1;
}

/** The end of a string that is cut off, without half an escape. */
function endOfCut(text: string, from: number): number {
  let slashes = text.length;
  while (slashes > from && text.charCodeAt(slashes - 1) === BACKSLASH) slashes -= 1;
  return text.length - ((text.length - slashes) % 2);
}

function isColon(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === COLON;
}

function lengthOf(text: string): string {
  if (MASKED.test(text)) return text;
  return `<${text.length} characters>`;
}
