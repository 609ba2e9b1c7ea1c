import type { Translation } from "../../translation/translation.ts";
import { ApiError, errorBody } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";
import { DONE, type ServerEvent } from "../../wire/sse.ts";

/** What an endpoint answers: a whole answer, or the data of each event of a stream. */
export type FakeAnswer = { json: object } | { events: (object | string)[]; hold?: Promise<void> };

/** A request that the endpoint received. */
export interface TranslatedCall {
  path: string;
  body: Record<string, unknown>;
}

/** A server that speaks a client's API by translating to an endpoint that a test plays. */
export interface TranslatingServer extends Disposable {
  url: string;
  asked: TranslatedCall[];
  /** Streams that their client left before the end. */
  left: number;
}

/** Serves `routes` (path → translator) on a free port; `endpoint` plays the endpoint. */
export function translatingServer(
  routes: Record<string, (request: unknown) => Translation>,
  endpoint: (asked: TranslatedCall) => FakeAnswer,
): TranslatingServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      try {
        const translation = routes[pathname]?.(await request.json());
        if (translation === undefined) return new Response("no such route", { status: 404 });
        const asked = { path: translation.path, body: translation.body };
        front.asked.push(asked);
        const answer = endpoint(asked);
        if ("json" in answer) return Response.json(translation.answer(answer.json));
        return streamed(translation, answer, () => {
          front.left += 1;
        });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return Response.json(errorBody(error, dialectOf(pathname)), { status: error.status });
      }
    },
  });
  const front: TranslatingServer = {
    url: `http://127.0.0.1:${server.port}`,
    asked: [],
    left: 0,
    [Symbol.dispose]: () => void server.stop(true),
  };
  return front;
}

/** Streams the events; after the first one the stream waits for `hold`. */
function streamed(
  translation: Translation,
  { events, hold }: Extract<FakeAnswer, { events: unknown }>,
  onLeft: () => void,
): Response {
  const stream = translation.stream?.();
  if (stream === undefined) throw new Error("it has no stream");
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const [i, event] of events.entries()) {
        if (i === 1) await hold;
        controller.enqueue(encoder.encode(stream.push(serverEvent(event))));
      }
      controller.enqueue(encoder.encode(stream.end()));
      controller.close();
    },
    cancel: onLeft,
  });
  return new Response(body, {
    headers: { "content-type": stream.contentType ?? "text/event-stream" },
  });
}

/** An event as an endpoint sends it: JSON, or a text such as `[DONE]` as it is. */
export function serverEvent(data: object | string): ServerEvent {
  return { event: undefined, data: typeof data === "string" ? data : JSON.stringify(data) };
}

/** A stream of chat completions: one chunk for each delta, how it ended, the usage. */
export function chunksOf(
  deltas: object[],
  end: { finish?: string | null; usage?: object; more?: object } = {},
): (object | string)[] {
  const { finish = "stop", usage, more } = end;
  const head = {
    id: "c1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "inner",
  };
  const chunk = (delta: object, finish_reason: string | null) => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason }],
  });
  return [
    ...deltas.map((delta) => chunk(delta, null)),
    ...(finish === null ? [] : [chunk({}, finish)]),
    ...(usage === undefined ? [] : [{ ...head, choices: [], usage, ...more }]),
    DONE,
  ];
}

/** A whole chat completion. */
export function completion(message: object, finish = "stop", more: object = {}): object {
  return {
    ...{ id: "c1", object: "chat.completion", created: 1_700_000_000, model: "inner" },
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finish }],
    ...more,
  };
}

/** The usage of an answer: 7 tokens in, 3 of them cached, and 5 out. */
export const USAGE = {
  prompt_tokens: 7,
  completion_tokens: 5,
  total_tokens: 12,
  prompt_tokens_details: { cached_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
