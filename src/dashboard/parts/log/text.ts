import { withoutControls } from "../../../lib/controls.ts";
import type { LogEntryView } from "../../../wire/log.ts";

/** Sequences that colour a terminal or change its title (ECMA-48, 5.4 and 8.3.89). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what terminals act on
const SEQUENCE = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;

/** Longer fields are cut where a line is all there is of them. */
const FIELD_CHARS_MAX = 300;
/** Objects within objects are told field by field so far down. */
const DEPTH_MAX = 3;

/** Text of a log without what only terminals understand, or what turns its direction around. */
export function cleaned(text: string): string {
  return withoutControls(text.replace(SEQUENCE, ""));
}

/** The fields of a line in one line, long ids last: `model=qwen text="…"`. */
export function fieldsText({ pid: _pid, request_id, ...fields }: LogEntryView["fields"]): string {
  return Object.entries({ ...fields, request_id })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${shortened(valueText(value))}`)
    .join(" ");
}

/** A whole line as text, as `llmlb logs` prints it. */
export function lineText({ timestamp, level, message, fields }: LogEntryView): string {
  return `${timestamp} ${level.toUpperCase().padEnd(5)} ${cleaned(message)} ${fieldsText(fields)}`;
}

/** Each field with its value, those of objects by their dotted names. */
export function fieldRows(
  fields: Record<string, unknown>,
  prefix = "",
  depth = 0,
): (readonly [name: string, value: string])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const path = prefix + name;
    const isNested = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isNested && depth < DEPTH_MAX) return fieldRows({ ...value }, `${path}.`, depth + 1);
    return [[path, typeof value === "string" ? cleaned(value) : jsonText(value)] as const];
  });
}

/** Text without blanks as it is, all else as JSON, so that it stays one line. */
function valueText(value: unknown): string {
  const text = typeof value === "string" ? cleaned(value) : undefined;
  return text !== undefined && /^[^\s"=]+$/.test(text) ? text : jsonText(text ?? value);
}

function jsonText(value: unknown): string {
  return cleaned(JSON.stringify(value) ?? "");
}

function shortened(text: string): string {
  return text.length > FIELD_CHARS_MAX ? `${text.slice(0, FIELD_CHARS_MAX)}…` : text;
}

/** When a line was written, in the reader's zone: day, time, and milliseconds with their point. */
export function stampOf(timestamp: string): { day: string; time: string; ms: string } {
  const at = new Date(timestamp);
  if (Number.isNaN(at.getTime())) return { day: "", time: timestamp.slice(0, 23), ms: "" };
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return {
    day: `${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    time: clock,
    ms: `.${String(at.getMilliseconds()).padStart(3, "0")}`,
  };
}

/** A text in pieces: those that a search finds, in any case, and those between. */
export function piecesOf(text: string, search: string): { text: string; isFound: boolean }[] {
  const wanted = search.trim().toLowerCase();
  const lower = text.toLowerCase();
  // Some letters are longer in lower case: places would be others.
  if (wanted === "" || lower.length !== text.length) return [{ text, isFound: false }];
  const pieces: { text: string; isFound: boolean }[] = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    pieces.push({ text: text.slice(from, at), isFound: false });
    from = at + wanted.length;
    pieces.push({ text: text.slice(at, from), isFound: true });
  }
  pieces.push({ text: text.slice(from), isFound: false });
  return pieces.filter((piece) => piece.text !== "");
}

/** What tells a line from others in the address of the page: its time, and a hash of its text. */
export function lineKey({ timestamp, message, fields }: LogEntryView): string {
  let hash = 0;
  const text = message + JSON.stringify(fields);
  for (let at = 0; at < text.length; at += 1)
    hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  return `${timestamp}~${(hash >>> 0).toString(36)}`;
}

/** The line that a key is of, among others; undefined: it is not there. */
export function lineOfKey<T extends LogEntryView>(lines: readonly T[], key: string): T | undefined {
  const [timestamp] = key.split("~");
  return lines.findLast((line) => line.timestamp === timestamp && lineKey(line) === key);
}
