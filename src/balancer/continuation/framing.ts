import { EventReader, type ServerEvent } from "../../wire/sse.ts";

/** How a stream is made of events. */
export interface EventFraming {
  /** Whether nothing of an event is at the end, given that one begins with the piece. */
  endsWhole(piece: Buffer): boolean;
  /** The offset behind the last whole event; 0 where there is none. */
  endOfWhole(bytes: Buffer): number;
  /** The offset behind the event that begins at `start`. */
  endOfFirst(bytes: Buffer, start: number): number;
  /** The last event of a stream, with the end that it lacks. */
  ended(event: Buffer): Buffer;
  /** Reads whole events, in one or several pieces. */
  read(pieces: readonly Uint8Array[]): ServerEvent[];
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;
const FEED = Buffer.from("\n");
const FEEDS = Buffer.from("\n\n");

/** Server-sent events: a blank line is behind each. */
const EVENTS: EventFraming = {
  endsWhole: endsEvent,
  endOfWhole: endOfEvents,
  endOfFirst: (bytes, start) => {
    for (let at = bytes.indexOf(LINE_FEED, start); at !== -1; ) {
      if (endsEvent(bytes.subarray(start, at + 1))) return at + 1;
      at = bytes.indexOf(LINE_FEED, at + 1);
    }
    return bytes.length;
  },
  ended: (event) => Buffer.concat([event, event.at(-1) === LINE_FEED ? FEED : FEEDS]),
  read: (pieces) => {
    const reader = new EventReader();
    return [...reader.push(Buffer.concat(pieces)), ...reader.end()];
  },
};

/** JSON lines. */
const LINES: EventFraming = {
  endsWhole: (piece) => piece.at(-1) === LINE_FEED,
  endOfWhole: (bytes) => bytes.lastIndexOf(LINE_FEED) + 1,
  endOfFirst: (bytes, start) => {
    const at = bytes.indexOf(LINE_FEED, start);
    return at === -1 ? bytes.length : at + 1;
  },
  ended: (event) => (event.at(-1) === LINE_FEED ? event : Buffer.concat([event, FEED])),
  read: (pieces) => {
    const lines = Buffer.concat(pieces).toString("utf8").split("\n");
    const data = lines.map((line) => line.trim()).filter((line) => line !== "");
    return data.map((one) => ({ event: undefined, data: one }));
  },
};

/** How a stream of this content type is made. */
export function framingOf(type: string): EventFraming {
  return type.startsWith("text/event-stream") ? EVENTS : LINES;
}

function endsEvent(piece: Buffer): boolean {
  const last = piece.length - 1;
  if (piece[last] !== LINE_FEED) return false;
  const before = piece[last - 1];
  return before === LINE_FEED || (before === CARRIAGE_RETURN && piece[last - 2] === LINE_FEED);
}

/** Blank lines and comments behind the last event are no part of the next one. */
function endOfEvents(bytes: Buffer): number {
  let end = 0;
  for (let at = bytes.lastIndexOf(LINE_FEED); at > 0; at = bytes.lastIndexOf(LINE_FEED, at - 1)) {
    if (!endsEvent(bytes.subarray(0, at + 1))) continue;
    end = at + 1;
    break;
  }
  for (let next = bytes.indexOf(LINE_FEED, end); next !== -1; ) {
    const isBlank = next === end || (next === end + 1 && bytes[end] === CARRIAGE_RETURN);
    if (!isBlank && bytes[end] !== COLON) break;
    end = next + 1;
    next = bytes.indexOf(LINE_FEED, end);
  }
  return end;
}
