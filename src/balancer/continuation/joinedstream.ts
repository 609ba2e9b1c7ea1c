import type { Rewrite, StreamRewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { parseExactObject } from "../../lib/json.ts";
import { reportsError } from "../../translation/chat/chunk.ts";
import { unreadableAnswer } from "../../translation/errors.ts";
import { ApiError } from "../../wire/error.ts";
import { DONE, DONE_FRAME, EventReader, eventFrame, type ServerEvent } from "../../wire/sse.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";
import type { ContinuableStream } from "./continuablestream.ts";
import type { Joiner } from "./joiner.ts";

export interface JoinedStreamOptions {
  joiner: Joiner;
  /** The stream that broke, which goes on. */
  stream: ContinuableStream;
}

/** The stream of an upstream that goes on with that of another one. */
export class JoinedStream implements StreamRewrite {
  readonly #options: JoinedStreamOptions;
  readonly #reader = new EventReader();

  constructor(options: JoinedStreamOptions) {
    this.#options = options;
  }

  get contentType(): string {
    return this.#options.stream.contentType;
  }

  get ping(): Uint8Array | undefined {
    return this.#options.stream.ping;
  }

  get isOver(): boolean {
    return this.#options.stream.isOver;
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    return this.#send(this.#reader.push(bytes));
  }

  end(): Uint8Array | undefined {
    const sent = this.#send(this.#reader.end());
    const last = this.isOver ? undefined : this.#options.stream.end();
    return sent === undefined || last === undefined ? (sent ?? last) : Buffer.concat([sent, last]);
  }

  finish(): Uint8Array | undefined {
    return this.#options.stream.finish();
  }

  fail(error: ApiError): Uint8Array | undefined {
    return this.#options.stream.fail(error);
  }

  #send(events: ServerEvent[]): Uint8Array | undefined {
    const text = events.map((event) => this.#joined(event)).join("");
    return this.#options.stream.pushMore(Buffer.from(text));
  }

  #joined({ event: name, data }: ServerEvent): string {
    if (data.trim() === DONE) return DONE_FRAME;
    const event = parseExactObject(data);
    if (event === undefined) throw unreadableAnswer("an event is no JSON object");
    if (name === "error" || reportsError(event.error)) throw failure(event);
    const { joiner } = this.#options;
    const joined = joiner.join(event);
    const text = joined === undefined ? "" : eventFrame(joined);
    return joiner.isStopped ? text + DONE_FRAME : text;
  }
}

/** What is made of the answer of an upstream that goes on with a stream. */
export function joinedRewrite(begin: () => JoinedStream): Rewrite {
  return {
    // Whoever answers whole where a stream was asked for is not waited for: the client is.
    whole: (bytes) => ({ bytes }),
    stream: begin,
  };
}

function failure(event: object): ApiError {
  const { kind, message, code } = readUpstreamError(undefined, event);
  return new ApiError(kind, message, { code: code ?? "stream_error" });
}
