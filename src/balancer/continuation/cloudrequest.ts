import type { StreamRewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { joinedBytes } from "../../lib/buffer.ts";
import { TranslationRewrite } from "../../translation/rewrite.ts";
import { type InferenceRoute, ROUTES } from "../../wire/route.ts";
import type { UpstreamRequest } from "../inference/body.ts";
import type { ProviderModel } from "../providers/model.ts";
import { type JoinedStream, joinedRewrite } from "./joinedstream.ts";

interface CloudRequestOptions {
  upstream: ProviderModel;
  format: "chat" | "generate";
  /** In terms of (chat) completions. */
  body: Record<string, unknown>;
  requestId: string;
  /** Begins the rest of the client's stream. */
  begin(): JoinedStream;
}

/**
 * The request by which a cloud's model goes on with a stream, in the words of its API. Throws 400
 * for what that cannot say.
 */
export function cloudRequest(options: CloudRequestOptions): UpstreamRequest {
  const { upstream, format, body, requestId, begin } = options;
  const route: InferenceRoute = ROUTES[format];
  const support = upstream.supportOf(route);
  if (support === "native") {
    return { pathAndQuery: route.path, body: bytesOf(body), rewrite: joinedRewrite(begin) };
  }
  const { model } = upstream;
  const translation = support(body, model);
  const parts = { translation, model, dialect: "openai", requestId, streams: true } as const;
  const translated = new TranslationRewrite(parts);
  return {
    pathAndQuery: translation.path,
    body: bytesOf(translation.body),
    rewrite: {
      ...joinedRewrite(begin),
      stream: () => new TranslatedJoin(translated.stream(), begin()),
    },
  };
}

/** The stream of a cloud in terms of chat completions, as the rest of the client's stream. */
class TranslatedJoin implements StreamRewrite {
  readonly #translated: StreamRewrite;
  readonly #joined: JoinedStream;

  constructor(translated: StreamRewrite, joined: JoinedStream) {
    this.#translated = translated;
    this.#joined = joined;
  }

  get contentType(): string {
    return this.#joined.contentType;
  }

  get ping(): Uint8Array | undefined {
    return this.#joined.ping;
  }

  get isOver(): boolean {
    return this.#joined.isOver;
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    const chat = this.#translated.push(bytes);
    return chat === undefined ? undefined : this.#joined.push(chat);
  }

  end(): Uint8Array | undefined {
    const last = this.#translated.end();
    const said = last === undefined ? undefined : this.#joined.push(last);
    return joinedBytes(said, this.isOver ? undefined : this.#joined.end());
  }

  finish(): Uint8Array | undefined {
    return this.#joined.finish();
  }

  fail(...error: Parameters<JoinedStream["fail"]>): Uint8Array | undefined {
    return this.#joined.fail(...error);
  }
}

function bytesOf(body: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(body));
}
