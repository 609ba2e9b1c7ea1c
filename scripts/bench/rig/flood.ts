/**
 * An endpoint that answers with too much. Run as `bun flood.ts PORT [MODELS]`. It reads
 * whatever it is sent; the model says how it answers: `m` with a word, `line` with a stream of one
 * line of 30 MB, `events` with 20 MB of tiny events, `text` and `integers` with 20 MB in one piece,
 * a text or long integers. With MODELS it lists so many besides.
 */

const LINE_BYTES = 30_000_000;
const EVENTS_BYTES = 20_000_000;
const ANSWER = {
  ...{ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
const CHUNK = { ...{ id: "c", object: "chat.completion.chunk", created: 1, model: "m" } };
const LONG = "12345678901234567890,";
const INTEGERS = LONG.repeat(EVENTS_BYTES / LONG.length);
const PIECE_BYTES = 64 * 1024;
const SEEN_BYTES = 200;

const [port, models = "0"] = process.argv.slice(2);
const names = [
  "m",
  "line",
  "events",
  "text",
  "integers",
  ...Array.from({ length: Number(models) }, (_, i) => `x${i}`),
];
const list = JSON.stringify({
  object: "list",
  data: names.map((id) => ({ id, object: "model", created: 1, owned_by: "somebody" })),
});

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  idleTimeout: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  async fetch(request) {
    if (request.method === "GET") {
      if (!request.url.endsWith("/v1/models")) return new Response(null, { status: 404 });
      return new Response(list, { headers: { "content-type": "application/json" } });
    }
    let seen = "";
    for await (const piece of request.body ?? []) {
      if (seen.length < SEEN_BYTES) seen += Buffer.from(piece).toString("latin1", 0, SEEN_BYTES);
    }
    if (seen.includes('"line"')) return stream(line());
    if (seen.includes('"events"')) return stream(events());
    if (seen.includes('"text"')) return Response.json(answerOf("a".repeat(EVENTS_BYTES)));
    if (seen.includes('"integers"')) return whole(INTEGERS);
    return Response.json(ANSWER);
  },
});

/** An answer in one piece that has this besides. */
function whole(more: string): Response {
  const body = `{"x":[${more}1],${JSON.stringify(ANSWER).slice(1)}`;
  return new Response(body, { headers: { "content-type": "application/json" } });
}

function answerOf(content: string): object {
  return {
    ...ANSWER,
    choices: [{ ...ANSWER.choices[0], message: { role: "assistant", content } }],
  };
}

function stream(pieces: Iterator<string>): Response {
  const encoder = new TextEncoder();
  const source: UnderlyingDefaultSource<Uint8Array> = {
    pull(controller) {
      const { done, value } = pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  };
  return new Response(new ReadableStream(source), {
    headers: { "content-type": "text/event-stream" },
  });
}

function* line(): Generator<string> {
  const event = JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta: { content: "?" } }] });
  const [before = "", after = ""] = event.split("?");
  yield `data: ${before}`;
  for (let sent = 0; sent < LINE_BYTES; sent += PIECE_BYTES) yield "a".repeat(PIECE_BYTES);
  yield `${after}\n\ndata: [DONE]\n\n`;
}

function* events(): Generator<string> {
  const event = `data: ${JSON.stringify({ ...CHUNK, choices: [] })}\n\n`;
  const piece = event.repeat(Math.ceil(PIECE_BYTES / event.length));
  for (let sent = 0; sent < EVENTS_BYTES; sent += piece.length) yield piece;
  yield "data: [DONE]\n\n";
}
