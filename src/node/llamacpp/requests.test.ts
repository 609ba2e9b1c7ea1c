import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { refusalOf, TestNode } from "../../testkit/node.ts";
import type { Translation } from "../../translation/translation.ts";
import { ROUTE_LIST } from "../../wire/route.ts";
import { TRANSLATIONS } from "./requests.ts";

const HELLO = { role: "user", content: "Hello" };

function put(path: string, request: object): Translation {
  const name = ROUTE_LIST.find((route) => route.path === path)?.name;
  const translate = name === undefined ? undefined : TRANSLATIONS[name];
  const translation = translate?.({ model: "chat", ...request });
  if (translation === undefined) throw new Error(`${path} is not translated`);
  return translation;
}

/** The types of the events that a stream of messages makes of these chunks. */
function streamed(chunks: (object | string)[]) {
  const stream = put("/v1/messages", { messages: [HELLO], stream: true }).stream?.();
  if (stream === undefined) throw new Error("there is no stream");
  const data = chunks.map((chunk) => (typeof chunk === "string" ? chunk : JSON.stringify(chunk)));
  return [...data.map((text) => stream.push({ event: undefined, data: text })), stream.end()];
}

const progress = (processed: number) => ({
  choices: [{ index: 0, delta: { role: "assistant", content: null } }],
  prompt_progress: { total: 50, cache: 20, processed, time_ms: 1 },
});
const said = (content: string) => ({
  id: "chatcmpl-1",
  choices: [{ index: 0, delta: { content } }],
});
const END = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };

describe("messages", () => {
  test("become a chat, with the budget for thinking as it is", () => {
    const thinking = { type: "enabled", budget_tokens: 5000 };
    const { path, body } = put("/v1/messages", { messages: [HELLO], thinking });
    expect(path).toBe("/v1/chat/completions");
    expect(body).toEqual({
      ...{ model: "chat", messages: [HELLO] },
      ...{ thinking_budget_tokens: 5000, reasoning_effort: "medium" },
    });
  });

  test("show only the tool that must be used", () => {
    const tools = [{ name: "a" }, { name: "b" }];
    const request = { messages: [HELLO], tools, tool_choice: { type: "tool", name: "b" } };
    expect(put("/v1/messages", request).body).toMatchObject({
      ...{ tool_choice: "required", tools: [{ function: { name: "b" } }] },
    });
  });

  test("have no stamp that differs in each request before their system text", () => {
    const stamped = (stamp: string) => {
      const text = `x-anthropic-billing-header: cc_version=2.1; cch=${stamp};`;
      const system = [text, "You are it, cch=1."].map((text) => ({ type: "text", text }));
      return put("/v1/messages", { messages: [HELLO], system }).body;
    };
    expect(stamped("a5145")).toEqual(stamped("0b1c2"));
    expect(JSON.stringify(stamped("a5145"))).toContain("cch=1.");
  });

  test("begin their stream with the size of the prompt, and not before an answer", () => {
    const frames = streamed([progress(20), progress(50), said("Hi"), said("!"), END, "[DONE]"]);
    expect(frames.slice(0, 2)).toEqual(["", ""]);
    const [start] = (frames[2] ?? "").split("\n\n");
    expect(start).toStartWith("event: message_start\n");
    expect(JSON.parse(start?.split("data: ")[1] ?? "")).toMatchObject({
      message: { id: "msg_1", usage: { input_tokens: 30, cache_read_input_tokens: 20 } },
    });
    expect(frames.join("")).toContain('"text":"!"');
    expect(frames.join("")).toContain("event: message_stop\n");
  });

  test("whose engine breaks off while it reads the prompt end with an error", () => {
    expect(streamed([progress(20)]).join("")).toStartWith("event: error\n");
    expect(streamed(["{no JSON"]).join("")).toStartWith("event: error\n");
  });

  test("whose answer has begun go on with it", () => {
    const texts = ["29, ", "30"].map((text) => ({ type: "text", text }));
    const begun = { role: "assistant", content: texts };
    const { body, answer, stream } = put("/v1/messages", {
      messages: [HELLO, begun],
      stream: true,
    });
    expect(body.messages).toEqual([HELLO, { role: "assistant", content: "29, 30" }]);
    const whole = (content: string) =>
      answer({ choices: [{ message: { content }, finish_reason: "stop" }] });
    expect(whole("29, 30, 31")).toMatchObject({ content: [{ text: ", 31" }] });
    expect(whole("Else")).toMatchObject({ content: [{ text: "Else" }] });
    for (const [pieces, text] of [
      [["29, 30, ", "31"], ", 31"],
      [["29", ", 3", "0, 31", ", 32"], ", 31, 32"],
      [["29, 3", "1"], "29, 31"],
      [["29"], "29"],
      [["29, 30"], ""],
    ] as const) {
      const translated = stream?.();
      const sent = [...pieces.map(said), END].map((chunk) =>
        translated?.push({ event: undefined, data: JSON.stringify(chunk) }),
      );
      const deltas = [...sent.join("").matchAll(/"text_delta","text":"([^"]*)"/g)];
      expect(deltas.map(([, piece]) => piece).join("")).toBe(text);
    }
  });

  test("are counted as the chat that they become", () => {
    const request = { messages: [HELLO], system: "S", tools: [{ name: "a" }] };
    const { path, body, answer } = put("/v1/messages/count_tokens", request);
    expect(path).toBe("/v1/chat/completions/input_tokens");
    expect(body).toEqual(put("/v1/messages", request).body);
    expect(answer({ object: "x", input_tokens: 7 })).toEqual({ input_tokens: 7 });
    expect(() => answer({})).toThrow("input_tokens");
  });
});

describe("a node", () => {
  let host: TestNode;
  beforeEach(() => {
    host = new TestNode(["chat"]);
  });
  afterEach(() => host[Symbol.asyncDispose]());

  test.each([
    ["/v1/responses", { input: "Hello", previous_response_id: "resp_1" }, "previous_response_id"],
    ["/v1/responses", { input: "Hello", tools: [{ type: "web_search" }] }, "tools.0.type"],
    ["/v1/responses", { input: [7] }, "input.0"],
    ["/v1/responses", { input: "Hello", temperature: "hot" }, "temperature"],
    ["/v1/chat/completions", { messages: [HELLO], tool_choice: { type: "x" } }, "tool_choice"],
  ])("refuses at %s what an engine cannot be asked: %j", async (path, body, param) => {
    const error = await refusalOf(await host.post(path, { model: "chat", ...body }));
    expect(error).toMatchObject({ status: 400, param });
    expect(host.engines.launches).toHaveLength(0);
  });

  test.each([
    ["/v1/messages", { messages: [{ role: "user", content: [{ type: "strange" }] }] }, "strange"],
    ["/v1/messages/count_tokens", { messages: [{ role: "user", content: [7] }] }, "content.0"],
    ["/v1/messages", { messages: [HELLO], system: 7 }, "system"],
    ["/v1/messages", { messages: [HELLO], temperature: "hot" }, "temperature"],
  ])("refuses at %s in Anthropic's shape: %j", async (path, body, reason) => {
    const response = await host.post(path, { model: "chat", ...body });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining(reason) },
      request_id: response.headers.get("x-request-id"),
    });
    expect(host.engines.launches).toHaveLength(0);
  });

  test("tells in the API's own terms that an engine's answer is none", async () => {
    const messages = await host.post("/v1/messages?beta=true", {
      model: "chat",
      messages: [HELLO],
    });
    expect(messages.status).toBe(502);
    expect(await messages.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
    const responses = await host.post("/v1/responses", { model: "chat", input: "Hello" });
    expect(await refusalOf(responses)).toMatchObject({ status: 502, code: "invalid_answer" });
  });

  test.each([
    ["/v1/messages", { messages: [HELLO] }],
    ["/v1/responses", { input: "Hello" }],
  ])("frees the engine when a client of %s leaves its stream", async (path, body) => {
    const abort = new AbortController();
    const asked = host.post(path, { model: "chat", stream: true, ...body }, abort.signal);
    await host.engines.launched;
    await asked;
    abort.abort();
    await host.engines.last.left.promise;
    expect((await host.system()).slots.busy).toBe(0);
  });

  test.each([
    ["/v1/messages", { messages: [HELLO] }, { error: { type: "api_error" } }],
    ["/v1/responses", { input: "Hello" }, { code: "engine_crashed", sequence_number: 2 }],
  ])("ends a stream of %s whose engine dies in its own terms", async (path, body, told) => {
    const response = await host.post(path, { model: "chat", stream: true, ...body });
    await host.engines.last.crash();
    const frames = (await response.text()).trim().split(/\n{2,}/);
    const errors = frames.filter((frame) => frame.startsWith("event: error\n"));
    expect(errors).toHaveLength(1);
    expect(JSON.parse(errors[0]?.split("data: ")[1] ?? "")).toMatchObject({
      ...{ type: "error", ...told },
    });
    const last = path === "/v1/responses" ? "event: response.failed\n" : "event: error\n";
    expect(frames.at(-1)).toStartWith(last);
    expect(frames.at(-1)).toContain("ended unexpectedly");
  });
});
