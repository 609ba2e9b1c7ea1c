import { ModelRewrite } from "../http/proxy/rewrite/model.ts";
import type { Rewrite, Rewritten, StreamRewrite } from "../http/proxy/rewrite/rewrite.ts";
import { readExactJson } from "../lib/json.ts";
import { AT_ONCE_BYTES_MAX, readInTurns } from "../lib/jsonturns.ts";
import { ApiError, type Dialect, errorBody, errorHeaders } from "../wire/error.ts";
import { DONE, EventReader } from "../wire/sse.ts";
import { readUpstreamError } from "../wire/upstreamerror.ts";
import { streamFromAnswer } from "./singlechunk.ts";
import type { StreamTranslation, Translation } from "./translation.ts";

interface TranslationRewriteOptions {
  translation: Translation;
  /** The model's name as the client wrote it. */
  model: string;
  /** The dialect of the errors that the client gets. */
  dialect: Dialect;
  requestId: string;
  /** Whether the client asked for a stream. Default: the upstream may answer either way. */
  streams?: boolean;
}

/**
 * Translates an upstream's answer, whole or streamed, and puts the client's name for the model into
 * it. A whole answer where the client asked for a stream becomes a stream. Throws `upstream` for a
 * stream that the client did not ask for.
 */
export class TranslationRewrite implements Rewrite {
  readonly #options: TranslationRewriteOptions;
  readonly #names: ModelRewrite;

  constructor(options: TranslationRewriteOptions) {
    this.#options = options;
    this.#names = new ModelRewrite(options.model);
  }

  whole(bytes: Buffer, status: number): Rewritten | Promise<Rewritten> {
    if (bytes.byteLength <= AT_ONCE_BYTES_MAX) return this.#made(bytes, read(bytes), status);
    return readInTurns(bytes).then((answer) => this.#made(bytes, answer?.value, status));
  }

  #made(bytes: Buffer, json: unknown, status: number): Rewritten {
    const { translation, dialect, requestId, streams } = this.#options;
    if (status >= 400) {
      const told = readUpstreamError(status, json ?? bytes.toString("utf8"));
      const { kind, message, ...more } = told;
      const error = new ApiError(kind, message, more);
      const body = encode(JSON.stringify(errorBody(error, dialect, requestId)));
      return { bytes: body, status: error.status, headers: errorHeaders(error) };
    }
    if (json === undefined) throw unexpectedAnswer();
    const events = streams === true ? streamFromAnswer(translation, json) : undefined;
    if (events !== undefined) {
      const type = translation.stream?.().contentType ?? "text/event-stream";
      const bytes = this.#names.stream(type).push(encode(events));
      return { bytes: bytes ?? encode(events), headers: { "content-type": type } };
    }
    return this.#names.whole(Buffer.from(JSON.stringify(translation.answer(json))));
  }

  stream(): StreamRewrite {
    const { translation, streams } = this.#options;
    if (streams === false || translation.stream === undefined) throw unexpectedAnswer();
    return new TranslatedStream(translation.stream(), this.#names);
  }
}

const COMMENT = ": keep-alive\n\n";

class TranslatedStream implements StreamRewrite {
  readonly #reader = new EventReader();
  readonly #translation: StreamTranslation;
  readonly #names: StreamRewrite;
  readonly ping: Uint8Array;
  #isDone = false;

  constructor(translation: StreamTranslation, names: ModelRewrite) {
    this.ping = encode(translation.ping ?? COMMENT);
    this.#translation = translation;
    this.#names = names.stream(translation.contentType);
  }

  get contentType(): string | undefined {
    return this.#translation.contentType;
  }

  get isOver(): boolean {
    return this.#translation.isOver ?? false;
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    const events = this.#reader.push(bytes);
    // Comments and blank lines say that the endpoint is at work.
    if (events.length === 0) return this.#isDone ? undefined : this.ping;
    let text = "";
    for (const event of events) {
      if (event.data === DONE) this.#isDone = true;
      text += this.#translation.push(event);
    }
    return this.#encode(text);
  }

  end(): Uint8Array | undefined {
    let text = "";
    for (const event of this.#reader.end()) text += this.#translation.push(event);
    return this.#encode(text + this.#translation.end());
  }

  finish(): Uint8Array | undefined {
    return this.#last(this.#translation.finish?.());
  }

  fail(error: ApiError): Uint8Array | undefined {
    return this.#last(this.#translation.fail?.(error));
  }

  #last(text: string | undefined): Uint8Array | undefined {
    return text === undefined ? undefined : (this.#encode(text) ?? new Uint8Array());
  }

  #encode(text: string): Uint8Array | undefined {
    return text === "" ? undefined : this.#names.push(encode(text));
  }
}

function read(bytes: Buffer): unknown {
  try {
    return readExactJson(bytes.toString("utf8"));
  } catch {
    return undefined; // An error may be a page; an answer that is none is told by the caller.
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function unexpectedAnswer(): ApiError {
  const message = "The endpoint's answer could not be read: it is not what was asked for.";
  return new ApiError("upstream", message);
}
