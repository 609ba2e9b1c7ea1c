import { ModelRewrite } from "../http/proxy/rewrite/model.ts";
import type { Rewrite, Rewritten, StreamRewrite } from "../http/proxy/rewrite/rewrite.ts";
import { readExactJson } from "../lib/json.ts";
import { ApiError, type Dialect, errorBody, errorHeaders } from "../wire/error.ts";
import { EventReader } from "../wire/sse.ts";
import { readUpstreamError } from "../wire/upstreamerror.ts";
import { streamFromAnswer } from "./singlechunk.ts";
import type { StreamTranslation, Translation } from "./translation.ts";

export interface TranslationRewriteOptions {
  translation: Translation;
  /** As the client calls it. */
  model: string;
  /** In whose terms the client is told of errors. */
  dialect: Dialect;
  requestId: string;
  /** Whether the client asked for a stream; default: whatever the endpoint answers is right. */
  streams?: boolean;
}

/**
 * Answers of an endpoint that was asked in another API than the client's. One that comes whole
 * where a stream was asked for becomes a stream; a stream that nobody asked for is `upstream`.
 */
export class TranslationRewrite implements Rewrite {
  readonly #options: TranslationRewriteOptions;
  readonly #names: ModelRewrite;

  constructor(options: TranslationRewriteOptions) {
    this.#options = options;
    this.#names = new ModelRewrite(options.model);
  }

  whole(bytes: Buffer, status: number): Rewritten {
    const { translation, dialect, requestId, streams } = this.#options;
    const text = bytes.toString("utf8");
    const json = read(text);
    if (status >= 400) {
      const { kind, message, ...more } = readUpstreamError(status, json ?? text);
      const error = new ApiError(kind, message, more);
      const body = encode(JSON.stringify(errorBody(error, dialect, requestId)));
      return { bytes: body, status: error.status, headers: errorHeaders(error) };
    }
    if (json === undefined) throw senseless(undefined);
    const events = streams === true ? streamFromAnswer(translation, json) : undefined;
    if (events !== undefined) {
      const type = translation.stream?.().contentType ?? "text/event-stream";
      const sent = this.#names.stream(type).push(encode(events));
      return { bytes: sent ?? encode(events), headers: { "content-type": type } };
    }
    return this.#names.whole(Buffer.from(JSON.stringify(translation.answer(json))));
  }

  stream(): StreamRewrite {
    const { translation, streams } = this.#options;
    if (streams === false || translation.stream === undefined) throw senseless(undefined);
    return new TranslatedStream(translation.stream(), this.#names);
  }
}

class TranslatedStream implements StreamRewrite {
  readonly #reader = new EventReader();
  readonly #translation: StreamTranslation;
  readonly #names: StreamRewrite;

  constructor(translation: StreamTranslation, names: ModelRewrite) {
    this.#translation = translation;
    this.#names = names.stream(translation.contentType);
  }

  get contentType(): string | undefined {
    return this.#translation.contentType;
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    let text = "";
    for (const event of this.#reader.push(bytes)) text += this.#translation.push(event);
    return this.#sent(text);
  }

  end(): Uint8Array | undefined {
    let text = "";
    for (const event of this.#reader.end()) text += this.#translation.push(event);
    return this.#sent(text + this.#translation.end());
  }

  fail(error: ApiError): Uint8Array | undefined {
    const text = this.#translation.fail?.(error);
    return text === undefined ? undefined : (this.#sent(text) ?? new Uint8Array());
  }

  #sent(text: string): Uint8Array | undefined {
    return text === "" ? undefined : this.#names.push(encode(text));
  }
}

function read(text: string): unknown {
  try {
    return readExactJson(text);
  } catch {
    return undefined; // An error may be a page; an answer that is none is told by the caller.
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function senseless(cause: unknown): ApiError {
  const message = "The endpoint's answer could not be read: it is not what was asked for.";
  return new ApiError("upstream", message, { cause });
}
