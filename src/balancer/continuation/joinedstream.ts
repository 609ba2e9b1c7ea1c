import type { Rewrite, StreamRewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { parseExactObject } from "../../lib/json.ts";
import { reportsError } from "../../translation/chat/chunk.ts";
import { unreadableAnswer } from "../../translation/errors.ts";
import { ApiError } from "../../wire/error.ts";
import { DONE, EventReader, type ServerEvent } from "../../wire/sse.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";
import type { ContinuableStream } from "./continuablestream.ts";
import type { Joiner } from "./joiner.ts";
import type { Replay } from "./replay.ts";

export interface JoinedStreamOptions {
  joiner: Joiner;
  /** Where the stream that broke is of another API; undefined: it is one of (chat) completions. */
  replay: Replay | undefined;
  /** The stream that broke, which goes on. */
  stream: ContinuableStream;
  /** Who goes on, if the client is to be told. */
  notice: string | undefined;
  /** Called when it has gone on. */
  onText(): void;
}

const BRACE = 0x7b;

/** The stream of an upstream that goes on with that of another one. */
export class JoinedStream implements StreamRewrite {
  readonly #options: JoinedStreamOptions;
  readonly #reader = new EventReader();
  #hasText = false;
  #hasNotice = false;

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
    const { stream, replay } = this.#options;
    stream.hold(this.#send(this.#reader.end()));
    const rest = this.isOver ? undefined : replay?.end();
    if (rest !== undefined) stream.hold(stream.pushMore(Buffer.from(rest)));
    return stream.end();
  }

  finish(): Uint8Array | undefined {
    return this.#options.stream.finish();
  }

  fail(error: ApiError): Uint8Array | undefined {
    const { stream, replay } = this.#options;
    const told = stream.fail(error);
    return told === undefined && replay !== undefined ? Buffer.from(replay.fail(error)) : told;
  }

  #send(events: ServerEvent[]): Uint8Array | undefined {
    // What is held for the client goes with words: what comes without any may be the last.
    if (events.length === 0) return undefined;
    const { replay, onText } = this.#options;
    const text = events
      .flatMap((event) => this.#joined(event))
      .map((data) => replay?.push({ event: undefined, data }) ?? `data: ${data}\n\n`)
      .join("");
    if (text !== "" && !this.#hasText) {
      this.#hasText = true;
      onText();
    }
    return this.#withNotice(this.#options.stream.pushMore(Buffer.from(text)));
  }

  /** Says who goes on: in a comment before the first words, or a field where lines are JSON. */
  #withNotice(bytes: Uint8Array | undefined): Uint8Array | undefined {
    const { notice } = this.#options;
    if (bytes === undefined || notice === undefined || this.#hasNotice) return bytes;
    this.#hasNotice = true;
    const isEvents = this.contentType.startsWith("text/event-stream");
    if (isEvents) return Buffer.concat([Buffer.from(`: continued by ${notice}\n\n`), bytes]);
    if (bytes[0] !== BRACE) return bytes;
    const field = `{"continued_by":${JSON.stringify(notice)},`;
    return Buffer.concat([Buffer.from(field), bytes.subarray(1)]);
  }

  /** The data of the events in terms of (chat) completions. */
  #joined({ event: name, data }: ServerEvent): string[] {
    if (data.trim() === DONE) return [DONE];
    const event = parseExactObject(data);
    if (event === undefined) throw unreadableAnswer("an event is no JSON object");
    if (name === "error" || reportsError(event.error)) throw failure(event);
    const { joiner } = this.#options;
    const joined = joiner.join(event);
    const said = joined === undefined ? [] : [JSON.stringify(joined)];
    return joiner.isStopped ? [...said, DONE] : said;
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
