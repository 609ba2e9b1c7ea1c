import { describe, expect, test } from "bun:test";
import { apiErrorOf } from "../../../testkit/translation/apierror.ts";
import type { Translation } from "../../translation.ts";
import { estimateInputTokens } from "./tokenestimate.ts";
import { anthropicMessagesOverChat } from "./translation.ts";

const user = (content: unknown) => ({ role: "user", content });
const base = { model: "m", max_tokens: 9, messages: [user("Hello")] };
const bodyOf = (more: object) => anthropicMessagesOverChat({ ...base, ...more }).body;
const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AA==" } };
const use = { type: "tool_use", id: "t1", name: "f", input: { a: 1 } };
const HOSTED = [
  { type: "web_search_20250305", name: "web_search", max_uses: 8 },
  { name: "f", input_schema: { type: "object" } },
  { type: "mcp_toolset", mcp_server_name: "s" },
];

describe("a request of messages over chat", () => {
  test("joins system blocks, and drops what is only a hint", () => {
    const cache_control = { type: "ephemeral" };
    const system = [
      { type: "text", text: "a", cache_control },
      { type: "text", text: "b" },
    ];
    const hints = { cache_control, service_tier: "auto", context_management: { edits: [] } };
    expect(bodyOf({ system, ...hints })).toEqual({
      model: "m",
      max_tokens: 9,
      messages: [{ role: "system", content: "a\nb" }, user("Hello")],
    });
  });

  test("has no stamp that differs in each request before its system text", () => {
    const stamped = (stamp: string) => {
      const line = `x-anthropic-billing-header: cc_version=2.1.37.0d9; cch=${stamp};`;
      return bodyOf({ system: [line, "cch=1."].map((text) => ({ type: "text", text })) });
    };
    expect(stamped("a5145")).toEqual(stamped("0b1c2"));
    expect(JSON.stringify(stamped("a5145"))).toContain("cch=1.");
  });

  test("hands on fields that neither API knows, and none that change the answer's form", () => {
    const body = bodyOf({ min_p: 0.1, chat_template_kwargs: { x: 1 }, n: 3, logprobs: true });
    expect(body).toMatchObject({ min_p: 0.1, chat_template_kwargs: { x: 1 } });
    expect(body).not.toHaveProperty("n");
    expect(body).not.toHaveProperty("logprobs");
  });

  test("puts results of tools first, their images behind, and says that they are errors", () => {
    const content = [{ type: "text", text: "no disk" }, image];
    const result = { type: "tool_result", tool_use_id: "t1", is_error: true, content };
    const messages = [
      user("Go"),
      { role: "assistant", content: [{ type: "thinking", thinking: "hm", signature: "s" }, use] },
      user([{ type: "text", text: "So?" }, result]),
    ];
    const call = { name: "f", arguments: '{"a":1}' };
    expect(bodyOf({ messages }).messages).toEqual([
      user("Go"),
      {
        role: "assistant",
        content: null,
        reasoning_content: "hm",
        tool_calls: [{ id: "t1", type: "function", function: call }],
      },
      {
        role: "tool",
        tool_call_id: "t1",
        content: [
          { type: "text", text: "Error:" },
          { type: "text", text: "no disk" },
        ],
      },
      user([
        { type: "text", text: "So?" },
        { type: "text", text: "Attached to the result of t1:" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      ]),
    ]);
  });

  test("tells documents and search results as text where they are text", () => {
    const blocks = [
      { type: "document", title: "T", source: { type: "text", data: "body" } },
      { type: "document", context: "C", source: { type: "content", content: [image] } },
      { type: "search_result", source: "s", title: "t", content: [{ type: "text", text: "x" }] },
    ];
    expect(bodyOf({ messages: [user(blocks)] }).messages).toEqual([
      user([
        { type: "text", text: "T\nbody" },
        { type: "text", text: "C\n" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
        { type: "text", text: "t\ns\nx" },
      ]),
    ]);
  });

  test.each([
    [{ thinking: { type: "disabled" } }, "none"],
    [{ thinking: { type: "adaptive" } }, undefined],
    [{ thinking: { type: "adaptive" }, output_config: { effort: "xhigh" } }, "xhigh"],
    [{ thinking: { type: "enabled", budget_tokens: 1024 } }, "low"],
    [{ thinking: { type: "enabled", budget_tokens: 8192 } }, "medium"],
    [{ thinking: { type: "enabled", budget_tokens: 32_000 } }, "high"],
    [{ output_config: { effort: "low" } }, "low"],
    [{}, undefined],
  ])("thinks as hard as %j says: %s", (more, effort) => {
    expect(bodyOf(more).reasoning_effort).toBe(effort);
  });

  const file = { type: "file", file_id: "f" };
  const pdf = { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } };
  test.each([
    ["model", { model: undefined }],
    ["messages", { messages: [] }],
    ["messages.0.role", { messages: [{ role: "tool", content: "x" }] }],
    ["messages.0.content", { messages: [user(7)] }],
    ["messages.0.content.0.type", { messages: [user([{ type: "server_tool_use" }])] }],
    ["messages.0.content.0.type", { messages: [user([{ text: "x" }])] }],
    ["messages.0.content.0.text", { messages: [user([{ type: "text", text: 7 }])] }],
    ["messages.0.content.0.source", { messages: [user([{ type: "image", source: file }])] }],
    ["messages.0.content.0.source", { messages: [user([pdf])] }],
    ["messages.0.content.0", { messages: [user([use])] }],
    ["messages.0.content.0", { messages: [{ role: "system", content: [image] }] }],
    ["max_tokens", { max_tokens: 0 }],
    ["temperature", { temperature: "hot" }],
    ["tools.0.type", { tools: [{ type: "web_search_20250305", name: "web_search" }] }],
    ["tools.0.name", { tools: [{ type: "custom" }] }],
    ["tool_choice.name", { tools: HOSTED, tool_choice: { type: "tool", name: "web_search" } }],
    ["tool_choice.type", { tool_choice: { type: "some" } }],
    ["container", { container: "c" }],
    ["mcp_servers", { mcp_servers: [{ url: "https://example.com" }] }],
  ])("is refused with 400 that names %s", (param, more) => {
    const {
      status,
      param: named,
      message,
    } = apiErrorOf(() => anthropicMessagesOverChat({ ...base, ...more }));
    expect({ status, named }).toEqual({ status: 400, named: param });
    expect(message).toContain(`\`${param}\``);
  });

  test("has no tools of Anthropic's own where there are others", () => {
    const { tools } = bodyOf({ tools: HOSTED });
    expect(tools).toEqual([
      { type: "function", function: { name: "f", parameters: { type: "object" } } },
    ]);
    expect(estimateInputTokens({ ...base, tools: HOSTED })).toBeGreaterThan(0);
  });

  test("passes over blocks that a chat cannot show, and names the tools of references", () => {
    const search = { type: "server_tool_use", id: "s1", name: "web_search", input: {} };
    const found = { type: "web_search_tool_result", tool_use_id: "s1", content: [] };
    const newer = { type: "of_next_year", content: 7 };
    const content = [{ type: "tool_reference", tool_name: "Bash" }, newer];
    const messages = [
      user([newer, { type: "text", text: "Go" }]),
      { role: "system", content: [newer, { type: "text", text: "note" }] },
      { role: "assistant", content: [search, found, { type: "text", text: "found" }, use] },
      user([{ type: "tool_result", tool_use_id: "t1", content }]),
    ];
    const call = { name: "f", arguments: '{"a":1}' };
    expect(bodyOf({ messages }).messages).toEqual([
      { role: "system", content: "note" },
      user("Go"),
      {
        role: "assistant",
        content: "found",
        tool_calls: [{ id: "t1", type: "function", function: call }],
      },
      { role: "tool", tool_call_id: "t1", content: "Tool: Bash" },
    ]);
    expect(estimateInputTokens({ ...base, messages })).toBeGreaterThan(0);
  });

  test.each([{}, { tools: [] }, { tools: null }])("has no choice without tools: %j", (none) => {
    for (const type of ["none", "auto", "any"]) {
      const tool_choice = { type, disable_parallel_tool_use: true };
      expect(bodyOf({ ...none, tool_choice })).toEqual(bodyOf({}));
    }
  });

  test("may leave out its limit, as it may on our nodes", () => {
    expect(bodyOf({ max_tokens: undefined })).not.toHaveProperty("max_tokens");
  });
});

const asked = { ...base, stop_sequences: ["END"] };
const choice = (message: object, more: object = { finish_reason: "stop" }) => ({
  id: "chatcmpl-1",
  choices: [{ message, ...more }],
});
const called = (text: string) => ({
  tool_calls: [{ id: "", type: "function", function: { name: "f", arguments: text } }],
});

describe("an answer of a chat as a message", () => {
  const answer = (json: object) => anthropicMessagesOverChat(asked).answer(json);

  test.each(["stop_reason", "matched_stop", "stopping_word"])(
    "names the sequence that ended it, if the server does in `%s`",
    (field) => {
      const ended = { finish_reason: "stop", [field]: "END" };
      expect(answer(choice({ content: "x" }, ended))).toMatchObject({
        stop_reason: "stop_sequence",
        stop_sequence: "END",
      });
      const token = { finish_reason: "stop", [field]: 151_643 };
      const end = { stop_reason: "end_turn", stop_sequence: null };
      expect(answer(choice({ content: "x" }, token))).toMatchObject(end);
    },
  );

  test("is a use of tools whenever there are calls; ids are made where there are none", () => {
    expect(answer(choice(called("")))).toMatchObject({
      id: "msg_1",
      stop_reason: "tool_use",
      content: [{ type: "tool_use", id: expect.stringMatching(/^toolu_\w+$/), input: {} }],
    });
  });

  test("leaves out a call that the limit cut, and fails for one that is no JSON", () => {
    const cut = answer(choice(called('{"a'), { finish_reason: "length" }));
    expect(cut).toMatchObject({ stop_reason: "max_tokens", content: [] });
    expect(() => answer(choice(called('{"a')))).toThrow("no JSON object");
    expect(() => answer(choice(called("[1]")))).toThrow("no JSON object");
    expect(() => answer({ choices: [] })).toThrow("no choice");
    expect(() => answer({ error: "x" })).toThrow("`choices`");
  });

  test("takes thoughts by their other name, and refusals as text", () => {
    const content = [
      { type: "thinking", thinking: "hm", signature: "" },
      { type: "text", text: "No." },
    ];
    expect(answer(choice({ reasoning: "hm", refusal: "No." }))).toMatchObject({ content });
  });
});

describe("a stream of a chat as a message", () => {
  const events = (translation: Translation, ...data: (object | string)[]) => {
    const stream = translation.stream?.();
    const said = data.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
    const out = said.map((one) => stream?.push({ event: undefined, data: one })).join("");
    return out + stream?.end();
  };
  const delta = (of: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta: of, finish_reason }],
  });
  const piece = (index: number, text: string, more: object = {}) =>
    delta({ tool_calls: [{ index, ...more, function: { name: "f", arguments: text } }] });

  test("keeps calls apart that all have the same index", () => {
    const calls = [piece(0, '{"a":1}', { id: "x" }), piece(0, '{"a":2}', { id: "y" })];
    const text = events(anthropicMessagesOverChat(asked), ...calls, delta({}, "stop"), "[DONE]");
    expect(text.match(/content_block_start"/g)).toHaveLength(2);
    expect(text).toContain('"id":"y"');
    expect(text).toContain('"stop_reason":"tool_use"');
  });

  test("is finished by a finish reason, or by [DONE] alone", () => {
    const said = delta({ content: "x" });
    expect(events(anthropicMessagesOverChat(asked), said, delta({}, "length"))).toContain(
      "message_stop",
    );
    expect(events(anthropicMessagesOverChat(asked), said, "[DONE]")).toContain("message_stop");
    expect(events(anthropicMessagesOverChat(asked), said)).not.toContain("message_stop");
  });

  const nameless = delta({ tool_calls: [{ index: 0, function: { arguments: "{}" } }] });
  test.each([
    ["an error", { error: { message: "slow down", type: "rate_limit_error" } }, "rate_limit_error"],
    ["nonsense", "<html>", "api_error"],
    ["a call without a name", nameless, "api_error"],
  ])("ends with an error event after %s", (_, last, type) => {
    const text = events(anthropicMessagesOverChat(asked), delta({ content: "x" }), last, "[DONE]");
    expect(text).toContain(`event: error\ndata: {"type":"error","error":{"type":"${type}"`);
    expect(text.match(/event: error/g)).toHaveLength(1);
    expect(text).not.toContain("message_stop");
  });

  test("does not go on with a call that was complete", () => {
    const calls = [piece(0, "{}", { id: "x" }), piece(1, "{", { id: "y" }), piece(0, '{"a":1}')];
    const text = events(
      anthropicMessagesOverChat(asked),
      ...calls,
      delta({}, "tool_calls"),
      "[DONE]",
    );
    expect(text).toContain("event: error");
    expect(text).not.toContain("message_stop");
  });
});

describe("an estimate of input tokens", () => {
  test("grows with texts, tools and attachments", () => {
    const of = (more: object) => estimateInputTokens({ ...base, ...more });
    expect(of({})).toBe(6);
    expect(of({ messages: [user("x".repeat(400))] })).toBe(104);
    expect(of({ messages: [user([image])] })).toBe(1604);
    expect(of({ system: "Be brief." })).toBeGreaterThan(of({}));
    expect(of({ tools: [{ name: "f", input_schema: {} }] })).toBeGreaterThan(of({}));
    expect(() => of({ messages: 7 })).toThrow("`messages`");
  });
});
