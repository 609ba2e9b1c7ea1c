import { parseExactObject } from "../../lib/json.ts";
import type { StreamTranslation } from "../../translation/translation.ts";
import { type ApiError, errorFrame } from "../../wire/error.ts";
import { eventFrame, type ServerEvent } from "../../wire/sse.ts";
import { type EventFraming, framingOf } from "./framing.ts";
import { nameOfEvent, READERS, type StreamFormat } from "./streamformat.ts";
import { Transcript } from "./transcript.ts";

export interface ReplayOptions {
  /** The format of the stream that broke, which its upstream spoke itself. */
  format: StreamFormat;
  /** What was said of it. */
  transcript: Transcript;
  /** Makes a stream of this format of chat completions. */
  stream: StreamTranslation;
}

/**
 * Goes on with a stream of another API than chat completions, in the words of which another
 * upstream makes the rest. It translates what was said before once more, which leaves the
 * translation where the stream broke, and then what comes: under the ids that the client knows, and
 * without events that it has.
 */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #framing: EventFraming;
  /** Our own ids, and those that the client knows instead. */
  readonly #ids = new Map<string, string>();
  /** Events that come once and were sent before the break. */
  readonly #sent: ReadonlySet<string>;
  readonly #items: ReadonlyMap<number, string>;
  #nextNumber: number;
  #unsent = "";

  constructor(options: ReplayOptions) {
    this.#options = options;
    const { transcript, stream } = options;
    this.#framing = framingOf(stream.contentType ?? "text/event-stream");
    this.#sent = new Set(transcript.events);
    this.#items = new Map(transcript.items);
    this.#nextNumber = transcript.nextNumber;
    const before = chunkOf(transcript);
    if (before === undefined) return;
    const said = stream.push({ event: undefined, data: JSON.stringify(before) });
    const events = this.#read(said);
    for (const { data } of events) this.#learn(parseExactObject(data) ?? {});
    // What comes once may not have come yet, between two events that belong together.
    const once = events.filter(({ data }) => nameOfEvent(parseExactObject(data) ?? {}));
    this.#unsent = once.map((event) => this.#event(event)).join("");
  }

  /** The client's text for one event of the upstream that goes on. */
  push(event: ServerEvent): string {
    return this.#takeUnsent() + this.#written(this.#options.stream.push(event));
  }

  /** The client's text at the end of that upstream's stream. */
  end(): string {
    const { stream } = this.#options;
    return this.#takeUnsent() + (stream.isOver ? "" : this.#written(stream.end()));
  }

  #takeUnsent(): string {
    const unsent = this.#unsent;
    this.#unsent = "";
    return unsent;
  }

  /** The client's text for an error with which the stream ends. */
  fail(error: ApiError): string {
    const { format } = this.#options;
    if (format === "responses") return errorFrame(error, "responses", this.#nextNumber);
    return errorFrame(error, format === "anthropic_messages" ? "anthropic" : "ollama");
  }

  #read(text: string): ServerEvent[] {
    return text === "" ? [] : this.#framing.read([Buffer.from(text)]);
  }

  #written(text: string): string {
    return this.#read(text)
      .map((event) => this.#event(event))
      .join("");
  }

  #event({ event: name, data }: ServerEvent): string {
    const { format } = this.#options;
    if (format === "ollama_chat" || format === "ollama_generate") return `${data}\n`;
    const event = parseExactObject(data) ?? {};
    this.#learn(event);
    const own = nameOfEvent(event);
    if (own !== undefined && this.#sent.has(own)) return "";
    const known = parseExactObject(this.#withKnownIds(data)) ?? {};
    if (format === "responses") {
      known.sequence_number = this.#nextNumber;
      this.#nextNumber += 1;
    }
    return eventFrame(known, name);
  }

  #withKnownIds(data: string): string {
    let text = data;
    for (const [own, known] of this.#ids) text = text.replaceAll(`"${own}"`, `"${known}"`);
    return text;
  }

  /** Which of our own ids stand for which that the client knows. */
  #learn(event: Record<string, unknown>): void {
    if (this.#options.format !== "responses") return;
    const read = new Transcript();
    READERS.responses(read, event);
    const { id } = this.#options.transcript.head;
    if (typeof read.head.id === "string" && typeof id === "string") this.#ids.set(read.head.id, id);
    for (const [place, item] of read.items) {
      const [ownKind, ownId = ""] = item.split(" ");
      const [kind, known] = this.#items.get(place)?.split(" ") ?? [];
      if (known === undefined) continue;
      if (kind !== ownKind) throw new Error(`The item ${place} is ${kind}, not ${ownKind}.`);
      this.#ids.set(ownId, known);
    }
  }
}

/** What was said, as one event of a stream of chat completions; undefined for nothing. */
function chunkOf({ head, choices }: Transcript): object | undefined {
  const choice = choices.get(0);
  if (choice === undefined) return undefined;
  const { text, reasoning } = choice;
  const delta = { role: "assistant", reasoning_content: reasoning, content: text };
  return { ...head, choices: [{ index: 0, delta, finish_reason: null }] };
}
