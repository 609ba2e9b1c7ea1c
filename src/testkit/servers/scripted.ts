/** An endpoint that speaks chat completions: the scripted answers first, then good ones. */
export interface ScriptedEndpoint extends Disposable {
  url: string;
  /** The model it lists. */
  model: string;
  /** What it does with the next requests for chats, each with the first of them. */
  next: (() => Response | Promise<Response>)[];
  /** The chats it was asked for. */
  asked: Record<string, unknown>[];
}

/** Starts it on a free port. */
export function scriptedEndpoint(model: string): ScriptedEndpoint {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") {
        return Response.json({ object: "list", data: [{ id: model, object: "model" }] });
      }
      if (pathname !== "/v1/chat/completions") return new Response("no", { status: 404 });
      const body = (await request.json()) as Record<string, unknown>;
      self.asked.push(body);
      return self.next.shift()?.() ?? said(model, "well");
    },
  });
  const self: ScriptedEndpoint = {
    url: `http://127.0.0.1:${server.port}`,
    model,
    next: [],
    asked: [],
    [Symbol.dispose]: () => void server.stop(true),
  };
  return self;
}

/** An answer in one piece. */
function said(model: string, content: string): Response {
  return Response.json({
    ...{ id: "chatcmpl-1", object: "chat.completion", created: 1_700_000_000, model },
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
}

/** An error as OpenAI words it, with these headers. */
export function openaiError(status: number, headers: Record<string, string> = {}): () => Response {
  const error = { message: `It is a ${status}.`, type: "server_error", code: null, param: null };
  return () => Response.json({ error }, { status, headers });
}

/** What of a streamed answer a test chooses. */
export interface ScriptedStream {
  /** The `delta` of each chunk. */
  deltas: object[];
  finish?: string;
  /** Chunks wait for this; default: they come at once. */
  before?(delta: number): Promise<unknown> | undefined;
}

/** An answer in pieces. It counts two tokens in the cache, and one for each piece. */
export function scriptedStream(
  model: string,
  { deltas, finish, before }: ScriptedStream,
): Response {
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model };
  const encoder = new TextEncoder();
  const event = (fields: object) =>
    encoder.encode(`data: ${JSON.stringify({ ...head, ...fields })}\n\n`);
  const stream = new ReadableStream({
    async start(controller) {
      try {
        for (const [i, delta] of deltas.entries()) {
          await before?.(i);
          controller.enqueue(event({ choices: [{ index: 0, delta, finish_reason: null }] }));
        }
        const end = [{ index: 0, delta: {}, finish_reason: finish ?? "stop" }];
        const usage = {
          ...{
            prompt_tokens: 9,
            completion_tokens: deltas.length,
            total_tokens: 9 + deltas.length,
          },
          prompt_tokens_details: { cached_tokens: 2 },
        };
        controller.enqueue(event({ choices: end }));
        controller.enqueue(event({ choices: [], usage }));
        controller.enqueue(encoder.encode("data: [DONE]\n\n"));
        controller.close();
      } catch {
        // whoever asked has left
      }
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}
