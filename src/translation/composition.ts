import type { ApiError } from "../wire/error.ts";
import { EventReader, type ServerEvent } from "../wire/sse.ts";
import type { StreamTranslation, Translation } from "./translation.ts";

/**
 * Two translations as one: `client` puts a client's API in terms of one of OpenAI's, `provider`
 * puts that in terms of a provider's API. The answer goes back through both.
 */
export function composeTranslations(
  client: Translation,
  provider: (body: unknown) => Translation,
): Translation {
  const inner = provider(client.body);
  const { path, body } = inner;
  const composed: Translation = {
    path,
    body,
    answer: (json) => client.answer(inner.answer(json)),
    ...(client.fixedAnswer === undefined ? {} : { fixedAnswer: client.fixedAnswer }),
  };
  const clientStream = client.stream?.bind(client);
  const innerStream = inner.stream?.bind(inner);
  if (clientStream === undefined || innerStream === undefined) return composed;
  return { ...composed, stream: () => new ComposedStream(clientStream(), innerStream()) };
}

/** Reads the events that the inner stream writes, and gives them to the outer one. */
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

  get ping(): string | undefined {
    return this.#outer.ping;
  }

  get isOver(): boolean {
    return this.#outer.isOver ?? false;
  }

  push(event: ServerEvent): string {
    return this.#translate(this.#read(this.#inner.push(event)));
  }

  end(): string {
    const events = [...this.#read(this.#inner.end()), ...this.#reader.end()];
    return this.#translate(events) + this.#outer.end();
  }

  finish(): string | undefined {
    return this.#outer.finish?.();
  }

  fail(error: ApiError): string | undefined {
    return this.#outer.fail?.(error);
  }

  #read(text: string): ServerEvent[] {
    return text === "" ? [] : this.#reader.push(this.#encoder.encode(text));
  }

  #translate(events: ServerEvent[]): string {
    return events.map((event) => this.#outer.push(event)).join("");
  }
}
