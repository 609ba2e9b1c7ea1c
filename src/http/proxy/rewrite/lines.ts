import { asBuffer } from "../../../lib/buffer.ts";
import { JSON_LINES } from "../answertype.ts";
import type { StreamRewrite } from "./rewrite.ts";

/** Changes the data of single events; a stream's other lines pass as they are. */
export interface EventEdit {
  /** Events without these bytes are left alone; undefined: it looks at every one. */
  readonly needle: Buffer | undefined;
  /** The data of one event (one line) in the place of which others are sent; none drops it. */
  edit(data: Buffer): Buffer[];
  /** The data of events that follow the stream's last one. */
  end?(): Buffer[];
}

const LINE_FEED = 0x0a;
const DATA = Buffer.from("data:");
const SPACE = 0x20;
const NAMED = Buffer.from("data: ");
const ONE_FEED = Buffer.from("\n");
const TWO_FEEDS = Buffer.from("\n\n");
const BLANK = /(?:^|\n)\r?\n$/;
/** A line that has no end yet is held up to this length, where its end may be the stream's. */
const HELD_BYTES_MAX = 64 * 1024;

/**
 * Edits an event stream line by line. The bytes of events that an edit leaves alone stay as they
 * are. Lines that come in several pieces, which only very long ones do, are not edited.
 */
export class EventLines implements StreamRewrite {
  readonly #edits: readonly EventEdit[];
  /** Lines are data as they are. */
  readonly #isBare: boolean;
  /** Bytes without any of them pass at once. */
  readonly #needles: readonly Buffer[] | undefined;
  /** The next bytes belong to a line that was too long to be held. */
  #inLine = false;
  /** The event that was dropped had a blank line behind it, which goes as well. */
  #dropBlank = false;
  /** Whether something may follow the last event. */
  readonly #hasEnd: boolean;
  /** The last line was blank: the event before it is complete. */
  #isBetween = true;
  /** The beginning of a line. */
  #held: Buffer | undefined;

  /** `type` is the stream's content type: events, or JSON lines. */
  constructor(edits: readonly EventEdit[], type = "text/event-stream") {
    this.#edits = edits;
    this.#isBare = type.startsWith(JSON_LINES);
    const needles = edits.map(({ needle }) => needle).filter((needle) => needle !== undefined);
    this.#hasEnd = edits.some(({ end }) => end !== undefined);
    this.#needles = needles.length === edits.length ? needles : undefined;
  }

  push(piece: Uint8Array): Uint8Array | undefined {
    const bytes = this.#whole(asBuffer(piece));
    if (bytes.length === 0) return undefined;
    if (this.#passes(bytes)) return bytes;
    const out: Buffer[] = [];
    let kept = 0;
    for (let at = 0; at < bytes.length; ) {
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = feed === -1 ? bytes.length : feed + 1;
      const line = bytes.subarray(at, end);
      const changed = this.#inLine || feed === -1 ? undefined : this.#line(line);
      this.#inLine = feed === -1;
      if (changed !== undefined) {
        out.push(bytes.subarray(kept, at), ...changed);
        kept = end;
      }
      at = end;
    }
    if (kept === 0) return bytes;
    out.push(bytes.subarray(kept));
    const sent = Buffer.concat(out);
    return sent.length === 0 ? undefined : sent;
  }

  #passes(bytes: Buffer): boolean {
    if (this.#needles === undefined || this.#dropBlank || this.#inLine) return false;
    if (bytes[bytes.length - 1] !== LINE_FEED) return false;
    for (const needle of this.#needles) if (bytes.includes(needle)) return false;
    return true;
  }

  end(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    // A line without an end is the last one all the same.
    const line = held === undefined ? undefined : Buffer.concat([held, ONE_FEED]);
    const out = line === undefined ? [] : (this.#line(line) ?? [line]);
    const events = this.#inLine ? [] : this.#edits.flatMap((edit) => edit.end?.() ?? []);
    if (events.length > 0 && (line !== undefined || !this.#isBetween)) out.push(ONE_FEED);
    for (const event of events) out.push(NAMED, event, TWO_FEEDS);
    return out.length === 0 ? undefined : Buffer.concat(out);
  }

  /** Without the beginning of a last line that is held, behind one that was. */
  #whole(piece: Buffer): Buffer {
    if (!this.#hasEnd) return piece;
    const held = this.#held;
    const bytes = held === undefined ? piece : Buffer.concat([held, piece]);
    this.#held = undefined;
    const cut = bytes.lastIndexOf(LINE_FEED) + 1;
    if (cut > 0) this.#isBetween = BLANK.test(bytes.toString("latin1", Math.max(0, cut - 4), cut));
    const isInLong = this.#inLine && cut === 0;
    if (isInLong || cut === bytes.length || bytes.length - cut > HELD_BYTES_MAX) return bytes;
    this.#held = bytes.subarray(cut);
    return bytes.subarray(0, cut);
  }

  /** What is sent instead of a line; undefined leaves it as it is. */
  #line(line: Buffer): Buffer[] | undefined {
    const isBlank = line.length === 1 || (line.length === 2 && line[0] === 0x0d);
    if (isBlank && this.#dropBlank) {
      this.#dropBlank = false;
      return [];
    }
    if (!this.#isBare && !line.subarray(0, DATA.length).equals(DATA)) return undefined;
    const behind = line[DATA.length] === SPACE ? DATA.length + 1 : DATA.length;
    const start = this.#isBare ? 0 : behind;
    const data = line.subarray(start, line.at(-2) === 0x0d ? -2 : -1);
    let events = [data];
    for (const one of this.#edits) events = events.flatMap((event) => one.edit(event));
    if (events.length === 1 && events[0] === data) return undefined;
    if (this.#isBare) return events.map((event) => Buffer.concat([event, ONE_FEED]));
    this.#dropBlank = events.length === 0;
    return events.map((event, i) => {
      const isLast = i === events.length - 1;
      return Buffer.concat([NAMED, event, isLast ? ONE_FEED : TWO_FEEDS]);
    });
  }
}
