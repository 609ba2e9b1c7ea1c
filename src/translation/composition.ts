import type { ApiError } from "../wire/error.ts";
import { EventReader, type ServerEvent } from "../wire/sse.ts";
import type { StreamTranslation, Translation } from "./translation.ts";

/**
 * Two translations as one: `outer` puts a client's API in terms of chat completions, `inner` puts
 * those in terms of a cloud's API. The way back is the other way round.
 */
export function composeTranslations(
  outer: Translation,
  inner: (chat: unknown) => Translation,
): Translation {
  const cloud = inner(outer.body);
  const { path, body } = cloud;
  const composed: Translation = {
    path,
    body,
    answer: (json) => outer.answer(cloud.answer(json)),
    ...(outer.known === undefined ? {} : { known: outer.known }),
  };
  const [outside, inside] = [outer.stream?.bind(outer), cloud.stream?.bind(cloud)];
  if (outside === undefined || inside === undefined) return composed;
  return { ...composed, stream: () => new ComposedStream(outside(), inside()) };
}

/** Reads the events that the inner stream makes and gives them to the outer one. */
class ComposedStream implements StreamTranslation {
  readonly #outer: StreamTranslation;
  readonly #inner: StreamTranslation;
  readonly #reader = new EventReader();
  readonly #encoder = new TextEncoder();

  constructor(outer: StreamTranslation, inner: StreamTranslation) {
    this.#outer = outer;
    this.#inner = inner;
  }

  get contentType(): string {
    return this.#outer.contentType ?? "text/event-stream";
  }

  push(event: ServerEvent): string {
    return this.#pass(this.#read(this.#inner.push(event)));
  }

  end(): string {
    const events = [...this.#read(this.#inner.end()), ...this.#reader.end()];
    return this.#pass(events) + this.#outer.end();
  }

  fail(error: ApiError): string | undefined {
    return this.#outer.fail?.(error);
  }

  #read(text: string): ServerEvent[] {
    return text === "" ? [] : this.#reader.push(this.#encoder.encode(text));
  }

  #pass(events: ServerEvent[]): string {
    return events.map((event) => this.#outer.push(event)).join("");
  }
}
