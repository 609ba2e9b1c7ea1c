import { asBuffer } from "../../lib/buffer.ts";
import { errorStatusInEvents, errorStatusInLines } from "./hiddenerror.ts";

const LINE_FEED = 0x0a;
const DATA = Buffer.from("data:");

/** How nearly every piece of a chat's stream begins; Anthropic's pings begin with another field. */
const USUAL_START = Buffer.from('data: {"');
const T = 0x74;

/** Longer pieces are no keep-alives; part of a long event need not have the beginning of a line. */
const KEEP_ALIVE_BYTES_MAX = 64 * 1024;

/** How much of an event's data is looked at. */
const SEEN_BYTES = 40;

/** Data that says nothing: none, and Anthropic's keep-alive. */
const SILENT = /^[ \t\r]*(?:\n|$)|^\s*\{\s*"type"\s*:\s*"ping"/;

/**
 * Whether there is content in these lines of an event stream. Keep-alives are none: comments,
 * blank lines, fields other than data, pings. Progress with the prompt is content (llama.cpp's
 * `prompt_progress`).
 */
export function hasEvent(bytes: Uint8Array): boolean {
  if (bytes.byteLength > KEEP_ALIVE_BYTES_MAX || startsAsUsual(bytes)) return true;
  const buffer = asBuffer(bytes);
  for (let at = buffer.indexOf(DATA); at !== -1; at = buffer.indexOf(DATA, at)) {
    const isField = at === 0 || buffer[at - 1] === LINE_FEED;
    at += DATA.length;
    if (isField && !SILENT.test(buffer.toString("latin1", at, at + SEEN_BYTES))) return true;
  }
  return false;
}

/** Whether an event with a field stands in front, so that there is no need to look for one. */
function startsAsUsual(bytes: Uint8Array): boolean {
  const field = bytes[USUAL_START.length];
  if (field === undefined || field === T) return false;
  for (let i = 0; i < USUAL_START.length; i += 1) if (bytes[i] !== USUAL_START[i]) return false;
  return true;
}

/** Whether there is content in these JSON lines: anything but white space. */
export function hasLine(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte > 0x20);
}

const CARRIAGE_RETURN = 0x0d;

/** Whether a blank line is at the end. */
function endsEvent(piece: Uint8Array): boolean {
  if (piece.at(-1) !== LINE_FEED) return false;
  const before = piece.at(-2);
  return before === LINE_FEED || (before === CARRIAGE_RETURN && piece.at(-3) === LINE_FEED);
}

function endsLine(piece: Uint8Array): boolean {
  return piece.at(-1) === LINE_FEED;
}

/**
 * How content is found in a stream, an error that its first content may tell of, and what says
 * nothing: a comment between events; white space before a line, which is parsed with it.
 */
export const CONTENT = {
  events: {
    hasContent: hasEvent,
    errorIn: errorStatusInEvents,
    signOfLife: { bytes: Buffer.from(": keep-alive\n\n"), mayFollow: endsEvent },
  },
  lines: {
    hasContent: hasLine,
    errorIn: errorStatusInLines,
    signOfLife: { bytes: Buffer.from(" "), mayFollow: endsLine },
  },
};
