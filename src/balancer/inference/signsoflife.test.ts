import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { type FakeEndpoint, fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { chunksOf } from "../../testkit/servers/translating.ts";

const messages = [{ role: "user" as const, content: "x" }];

/** Each API that is translated, its request, and the sign of life that its clients pass over. */
const TRANSLATED = [
  ["/v1/messages", { messages, max_tokens: 5 }, 'event: ping\ndata: {"type":"ping"}\n\n'],
  ["/v1/responses", { input: "x" }, ": keep-alive\n\n"],
  ["/api/chat", { messages }, " "],
] as const;

let endpoint: FakeEndpoint;
let front: FakeBalancer;
/** The stream that the endpoint answers with. */
let target: ReadableStreamDefaultController<string>;
beforeAll(async () => {
  endpoint = fakeEndpoint(["m"], () => {
    const body = new ReadableStream<string>({
      start: (controller) => {
        target = controller;
        controller.enqueue(": ");
      },
    });
    const headers = { "content-type": "text/event-stream" };
    return new Response(body.pipeThrough(new TextEncoderStream()), { headers });
  });
  front = await fakeBalancer({ a: endpoint.url });
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  endpoint[Symbol.dispose]();
});

test.each(TRANSLATED)("headers come before any event, then signs of life: %s", async (...row) => {
  const [path, body, ping] = row;
  // Only part of a comment has come from the endpoint.
  const answer = await front.post(path, { model: "m", stream: true, ...body });
  expect(answer.status).toBe(200);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  const until = async (reached: () => boolean) => {
    while (!reached()) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
    }
  };
  await until(() => text === ping);
  target.enqueue("keep-alive\n\n");
  await until(() => text === ping.repeat(2));
  target.enqueue("\n");
  await until(() => text === ping.repeat(3));
  for (const one of chunksOf([{ content: "Hello" }])) {
    target.enqueue(`data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`);
  }
  target.enqueue(": over\n\n");
  target.close();
  await until(() => false);
  const rest = text.slice(ping.length * 3);
  expect(rest).toContain('"Hello"');
  expect(rest).not.toContain(ping === " " ? "\n " : ping);
  if (path !== "/api/chat") return;
  for (const line of text.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("done");
});

test("an endpoint that shows signs of life may take longer than one try", async () => {
  const slow = () => {
    const body = new ReadableStream<string>({
      async start(controller) {
        for (let i = 0; i < 30; i += 1) {
          controller.enqueue(": ping\n\n");
          await Bun.sleep(10);
        }
        controller.enqueue("data: [DONE]\n\n");
        controller.close();
      },
    });
    const headers = { "content-type": "text/event-stream" };
    return new Response(body.pipeThrough(new TextEncoderStream()), { headers });
  };
  using a = fakeEndpoint(["m"], slow);
  using b = fakeEndpoint(["m"], slow);
  await using two = await fakeBalancer({ a: a.url, b: b.url }, { tryTimeoutMs: 100 });
  const answer = await two.post("/v1/chat/completions", { model: "m", messages, stream: true });
  expect(await answer.text()).toEndWith("data: [DONE]\n\n");
  expect(a.requests.length + b.requests.length).toBe(1);
});
