import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { allFrames } from "../../testkit/clients.ts";
import { type FakeEndpoint, fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { completion, USAGE } from "../../testkit/servers/translating.ts";
import { DONE_FRAME, eventFrame } from "../../wire/sse.ts";

let answer: () => Response;
let endpoint: FakeEndpoint;
let front: FakeBalancer;
beforeAll(async () => {
  endpoint = fakeEndpoint(["m"], () => answer());
  front = await fakeBalancer({ a: endpoint.url });
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  endpoint[Symbol.dispose]();
});

const typed = (text: string, type: string) =>
  new Response(text, { headers: { "content-type": type } });
const asked = (path: string, more: object = {}) => {
  const messages = [{ role: "user", content: "x" }];
  const input = path === "/v1/completions" ? { prompt: "x" } : { messages, input: "x" };
  return front.post(path, { model: "m", ...input, stream: true, ...more });
};

const call = { id: "c", type: "function", function: { name: "f", arguments: '{"a":1}' } };
const chat = completion({ content: "Hello", tool_calls: [call] }, "tool_calls", { usage: USAGE });
const text = {
  ...{ id: "c", object: "text_completion", created: 1, model: "m", usage: USAGE },
  choices: [{ index: 0, text: "Hello", finish_reason: "stop" }],
};

describe("a whole answer where a stream was asked for", () => {
  test.each<[string, () => Response]>([
    ["as JSON", () => typed(JSON.stringify(chat), "application/json")],
    ["as JSON over lines", () => typed(JSON.stringify(chat, null, 2), "application/json")],
    ["named an event stream", () => typed(JSON.stringify(chat, null, 2), "text/event-stream")],
    ["as the only event", () => typed(eventFrame(chat) + DONE_FRAME, "text/event-stream")],
    ["as the only event, without an end", () => typed(eventFrame(chat), "text/event-stream")],
  ])("is a stream: %s", async (_, made) => {
    answer = made;
    for (const stream_options of [undefined, { include_usage: true }]) {
      const response = await asked("/v1/chat/completions", { stream_options });
      const events = await allFrames(response);
      expect(events[0]?.json).toMatchObject({
        object: "chat.completion.chunk",
        choices: [
          {
            ...{ index: 0, finish_reason: "tool_calls" },
            delta: { content: "Hello", tool_calls: [{ index: 0, ...call }] },
          },
        ],
      });
      const usages = events.flatMap(({ json }) => json?.usage ?? []);
      expect(usages).toEqual(stream_options === undefined ? [] : [USAGE]);
      expect(events.at(-1)?.data).toBe("[DONE]");
    }
  });

  test("is one of a text completion, too", async () => {
    answer = () => Response.json(text);
    const events = await allFrames(await asked("/v1/completions"));
    expect(events).toHaveLength(2);
    expect(events[0]?.json).toMatchObject({ choices: [{ text: "Hello", finish_reason: "stop" }] });
  });

  test.each<[string, object | string]>([
    ["no choices", { ...chat, choices: [] }],
    ["nothing", " \n"],
    ["null", "null"],
  ])("is a failure of the endpoint with %s", async (_, body) => {
    answer = () =>
      typed(typeof body === "string" ? body : JSON.stringify(body), "application/json");
    expect((await asked("/v1/chat/completions")).status).toBe(502);
  });

  test("is an error where it tells of one", async () => {
    const body = { error: { message: "gone" } };
    answer = () => typed(JSON.stringify(body), "text/event-stream");
    const response = await asked("/v1/chat/completions");
    expect([response.status, await response.json()]).toEqual([502, body]);
  });
});

describe("a stream that simply ends", () => {
  const begun: [string, string][] = [
    ["/v1/chat/completions", eventFrame({ choices: [{ delta: { content: "He" } }] })],
    ["/v1/completions", eventFrame({ choices: [{ text: "He" }] })],
    ["/v1/chat/completions", DONE_FRAME],
  ];

  test.each(begun)("is an error: %s %j", async (path, said) => {
    answer = () => typed(said, "text/event-stream");
    const events = await allFrames(await asked(path));
    expect(events.at(-1)?.json?.error).toMatchObject({ code: "stream_broken" });
    expect(events.some(({ data }) => data === "[DONE]")).toBe(false);
  });
});

test("a stream that breaks behind its finish reason is complete", async () => {
  const finished = eventFrame({ choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] });
  answer = () => {
    const body = new ReadableStream({
      async pull(controller) {
        controller.enqueue(Buffer.from(finished));
        await Bun.sleep(5);
        controller.error();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  for (const [path, end] of ENDS) {
    for (const stream of [true, false]) {
      const response = await asked(path, { max_tokens: 5, stream });
      expect(response.status).toBe(200);
      const text = await response.text();
      expect(text).toContain("Hi");
      expect(text).not.toContain('error":{');
      if (stream) expect(text).toContain(end);
    }
  }
});

/** What clients take for the end of a stream. */
const ENDS = [
  ["/v1/chat/completions", "[DONE]"],
  ["/v1/messages", "message_stop"],
  ["/v1/responses", "response.completed"],
  ["/api/chat", '"done":true'],
] as const;

test("a stream is over with `[DONE]`, although its connection stays open", async () => {
  const left = Promise.withResolvers<void>();
  const finished = eventFrame({ choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] });
  answer = () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(finished + DONE_FRAME)),
      cancel: () => left.resolve(),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  for (const [path, end] of ENDS) {
    expect(await (await asked(path, { max_tokens: 5 })).text()).toContain(end);
  }
  // It is not waited for without an end.
  await left.promise;
  expect(front.balancer.drain.active).toBe(0);
});
