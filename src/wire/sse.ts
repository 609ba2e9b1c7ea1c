/** One server-sent event (WHATWG HTML, 9.2). */
export interface ServerEvent {
  /** Its `event:` field; undefined where it has none. */
  event: string | undefined;
  /** Its `data:` lines, joined with line feeds. */
  data: string;
}

/** The most characters of an event; no API sends longer ones, not even with images. */
const EVENT_CHARS_MAX = 16 * 1024 * 1024;

/**
 * Reads events from bytes that come in pieces, wherever they are cut. Comments, ids and events
 * without data are skipped. Throws `RangeError` for an event beyond 16 Mi characters.
 */
export class EventReader {
  readonly #decoder = new TextDecoder();
  /** Pieces of a line that has not ended. */
  #rest: string[] = [];
  #restChars = 0;
  #event: string | undefined;
  #data: string[] = [];
  #chars = 0;

  /** The events that are complete with this piece. */
  push(piece: Uint8Array): ServerEvent[] {
    return this.#read(this.#decoder.decode(piece, { stream: true }));
  }

  /** The last event of a stream that ends without the empty line behind it. */
  end(): ServerEvent[] {
    return this.#read(`${this.#decoder.decode()}\n\n`);
  }

  #read(text: string): ServerEvent[] {
    const lines = text.split("\n");
    const last = lines.pop() ?? "";
    // A long line is put together once, not with every piece.
    if (lines.length > 0) {
      lines[0] = this.#rest.join("") + lines[0];
      this.#rest = [];
      this.#restChars = 0;
    }
    this.#rest.push(last);
    this.#restChars += last.length;
    if (this.#chars + this.#restChars > EVENT_CHARS_MAX) throw tooLong();
    const events: ServerEvent[] = [];
    for (const line of lines) {
      const event = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === "") return this.#take();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const start = line[colon + 1] === " " ? colon + 2 : colon + 1;
    const value = colon === -1 ? "" : line.slice(start);
    if (field === "event") this.#event = value;
    if (field !== "data") return undefined;
    this.#data.push(value);
    this.#chars += value.length;
    if (this.#chars > EVENT_CHARS_MAX) throw tooLong();
    return undefined;
  }

  #take(): ServerEvent | undefined {
    const event = this.#event;
    const data = this.#data;
    this.#event = undefined;
    this.#data = [];
    this.#chars = 0;
    return data.length === 0 ? undefined : { event, data: data.join("\n") };
  }
}

/** The text of an event whose data is `data` as JSON. */
export function eventFrame(data: unknown, event?: string): string {
  const name = event === undefined ? "" : `event: ${event}\n`;
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}

/** The data of the event that ends a stream of chat completions. */
export const DONE = "[DONE]";
export const DONE_FRAME = `data: ${DONE}\n\n`;

function tooLong(): RangeError {
  return new RangeError(`An event is longer than ${EVENT_CHARS_MAX} characters.`);
}
