import { describe, expect, test } from "bun:test";
import { apiErrorOf } from "../../../testkit/translation/apierror.ts";
import { chatOverAnthropic } from "./translation.ts";

const user = (content: unknown) => ({ role: "user", content });
const base = { model: "claude-opus-5", messages: [user("Hello")] };
const bodyOf = (more: object) => chatOverAnthropic({ ...base, ...more }).body;
const call = (id: string, text: string) => ({
  id,
  type: "function",
  function: { name: "f", arguments: text },
});

describe("a chat over messages", () => {
  test("says first what the system and the developer say, and one turn for each speaker", () => {
    const messages = [
      { role: "system", content: "a" },
      user("1"),
      { role: "developer", content: [{ type: "text", text: "b" }] },
      user([{ type: "text", text: "2" }]),
      { role: "assistant", content: "3" },
      { role: "assistant", content: "", tool_calls: [call("x", "")] },
      user("5"),
      { role: "tool", tool_call_id: "x", content: "4" },
    ];
    expect(bodyOf({ messages })).toEqual({
      model: "claude-opus-5",
      max_tokens: 1024,
      system: "a\nb",
      messages: [
        user([
          { type: "text", text: "1" },
          { type: "text", text: "2" },
        ]),
        {
          role: "assistant",
          content: [
            { type: "text", text: "3" },
            { type: "tool_use", id: "x", name: "f", input: {} },
          ],
        },
        user([
          { type: "tool_result", tool_use_id: "x", content: "4" },
          { type: "text", text: "5" },
        ]),
      ],
    });
  });

  test("keeps what is marked for the cache, and Anthropic's own fields", () => {
    const cache_control = { type: "ephemeral" };
    const text = { type: "text", text: "a", cache_control };
    const messages = [{ role: "system", content: [text] }, user([text])];
    const tools = [{ type: "function", function: { name: "f" }, cache_control }];
    expect(bodyOf({ model: "claude-opus-4-6", messages, tools, top_k: 5 })).toMatchObject({
      system: [text],
      messages: [user([text])],
      tools: [{ name: "f", input_schema: { type: "object", properties: {} }, cache_control }],
      top_k: 5,
    });
  });

  test("gives ids that Anthropic would refuse others, the same for call and result", () => {
    const messages = [
      user("1"),
      { role: "assistant", tool_calls: [call("functions.f:0", "{}")] },
      { role: "tool", tool_call_id: "functions.f:0", content: "2" },
    ];
    const text = JSON.stringify(bodyOf({ messages }));
    const [id, other] = [...text.matchAll(/"(?:id|tool_use_id)":"([\w-]+)"/g)].map(([, it]) => it);
    expect(id).toMatch(/^toolu_/);
    expect(other).toBe(id ?? "");
  });

  test("leaves out hints that Anthropic has no words for", () => {
    const hints = { seed: 1, presence_penalty: 1, frequency_penalty: 1, store: true };
    const more = { metadata: { a: "b" }, service_tier: "flex", logit_bias: {}, n: 1, nobody: 1 };
    expect(bodyOf({ ...hints, ...more, model: "claude-opus-4-6", temperature: 1.7 })).toEqual({
      model: "claude-opus-4-6",
      max_tokens: 1024,
      messages: [user("Hello")],
      temperature: 1,
    });
  });

  const png = "data:image/jpg;charset=utf-8;base64,AA==";
  test("takes images by data and address, and files of text", () => {
    const parts = [
      { type: "image_url", image_url: { url: png } },
      { type: "file", file: { filename: "a.txt", file_data: "data:text/plain;base64,aGk=" } },
    ];
    expect(bodyOf({ messages: [user(parts)] }).messages).toEqual([
      user([
        { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "AA==" } },
        {
          type: "document",
          source: { type: "text", media_type: "text/plain", data: "hi" },
          title: "a.txt",
        },
      ]),
    ]);
  });

  const enabled = (budget_tokens: number) => ({ type: "enabled", budget_tokens });
  test.each([
    ["claude-opus-5", { reasoning_effort: "high" }, 17_408, { type: "adaptive" }, "high"],
    ["claude-opus-5", { reasoning_effort: "minimal" }, 2048, { type: "adaptive" }, "low"],
    [
      "claude-opus-4-6",
      { reasoning_effort: "low", max_tokens: 50 },
      50,
      { type: "adaptive" },
      "low",
    ],
    ["claude-sonnet-4-5-20250929", { reasoning_effort: "low" }, 3072, enabled(2048), undefined],
    ["claude-opus-4-20250514", { reasoning_effort: "low" }, 3072, enabled(2048), undefined],
    ["claude-3-7-sonnet-latest", { reasoning_effort: "low" }, 3072, enabled(2048), undefined],
    [
      "claude-haiku-4-5",
      { reasoning_effort: "high", max_completion_tokens: 2000 },
      2000,
      enabled(1999),
      undefined,
    ],
    [
      "claude-haiku-4-5",
      { reasoning_effort: "high", max_tokens: 1000 },
      1000,
      undefined,
      undefined,
    ],
    ["claude-haiku-4-5", { reasoning_effort: "none" }, 1024, { type: "disabled" }, undefined],
    ["claude-haiku-4-5", { thinking: enabled(5000) }, 6024, enabled(5000), undefined],
    ["claude-opus-5", {}, 1024, undefined, undefined],
  ])("%s with %j", (model, more, max_tokens, thinking, effort) => {
    const body = bodyOf({ model, ...more });
    const config = effort === undefined ? undefined : { effort };
    const { max_tokens: limit, thinking: thinks, output_config } = body;
    expect({ limit, thinks, output_config }).toEqual({
      limit: max_tokens,
      thinks: thinking,
      output_config: config,
    });
  });

  const all = { temperature: 0.2, top_p: 0.4, top_k: 5 };
  const { top_p: _, ...one } = all;
  const { temperature: _t, ...other } = all;
  test.each([
    ["claude-sonnet-4-5", all, one],
    ["claude-opus-4-1-20250805", all, one],
    ["claude-sonnet-4-5", other, other],
    ["claude-3-5-haiku-latest", all, all],
    ["claude-opus-4-20250514", all, all],
    ["another", all, one],
    ["claude-opus-4-7", all, {}],
    ["claude-sonnet-5", { temperature: 1 }, {}],
    ["claude-fable-5", all, {}],
    ["claude-sonnet-4-5", { ...all, reasoning_effort: "high" }, {}],
    ["claude-opus-4-6", { ...all, reasoning_effort: "high" }, {}],
    ["claude-sonnet-4-5", { ...all, thinking: enabled(5000) }, {}],
    ["claude-sonnet-4-5", { ...all, reasoning_effort: "none" }, one],
  ])("leaves out what %s refuses of sampling: %j", (model, more, sent) => {
    const { temperature, top_p, top_k } = bodyOf({ model, ...more });
    expect(JSON.parse(JSON.stringify({ temperature, top_p, top_k }))).toEqual(sent);
  });

  test.each(["required", { type: "function", function: { name: "f" } }])(
    "does not think where a tool is forced: %j",
    (tool_choice) => {
      const tools = [{ type: "function", function: { name: "f" } }];
      const asked = { reasoning_effort: "high", tools, tool_choice };
      const old = bodyOf({ model: "claude-sonnet-4-5", ...asked });
      expect(old).not.toHaveProperty("thinking");
      const later = bodyOf({ model: "claude-opus-4-6", ...asked });
      expect(later).not.toHaveProperty("thinking");
      expect(later).toHaveProperty("output_config", { effort: "high" });
      expect(bodyOf({ ...asked, tool_choice: "auto" })).toHaveProperty("thinking");
    },
  );

  test("hands signed thoughts back, and does without where they are missing", () => {
    const thoughts = [{ type: "thinking", thinking: "hm", signature: "s" }];
    const asked = (more: object) => [
      user("1"),
      { role: "assistant", reasoning_content: "hm", tool_calls: [call("x", "{}")], ...more },
      { role: "tool", tool_call_id: "x", content: "2" },
    ];
    const options = { model: "claude-haiku-4-5", reasoning_effort: "low" };
    const signed = bodyOf({ ...options, messages: asked({ thinking_blocks: thoughts }) });
    expect(signed).toHaveProperty("thinking");
    expect(JSON.stringify(signed.messages)).toContain(JSON.stringify(thoughts[0]));
    const bare = bodyOf({ ...options, messages: asked({}) });
    expect(bare).not.toHaveProperty("thinking");
    expect(JSON.stringify(bare.messages)).not.toContain("hm");
  });

  const audio = { type: "input_audio", input_audio: { data: "", format: "wav" } };
  const json = (json_schema: object) => ({ type: "json_schema", json_schema });
  test.each([
    ["messages", { messages: [{ role: "system", content: "a" }] }],
    ["messages.0.content", { messages: [user(7)] }],
    ["messages.0.content.0.type", { messages: [user([{ type: "video" }])] }],
    ["messages.0.content.0", { messages: [user([audio])] }],
    [
      "messages.0.content.0.image_url.url",
      { messages: [user([{ type: "image_url", image_url: { url: "a.png" } }])] },
    ],
    ["messages.0.content.0.file", { messages: [user([{ type: "file", file: { file_id: "f" } }])] }],
    [
      "messages.0.tool_calls.0.function.arguments",
      { messages: [{ role: "assistant", tool_calls: [call("x", "[")] }] },
    ],
    ["n", { n: 2 }],
    ["logprobs", { logprobs: true }],
    ["top_logprobs", { top_logprobs: 3 }],
    ["logit_bias", { logit_bias: { 5: 1 } }],
    ["modalities", { modalities: ["text", "audio"] }],
    ["functions", { functions: [{ name: "f" }] }],
    ["response_format.type", { response_format: { type: "json_object" } }],
    ["response_format.json_schema.schema", { response_format: json({ name: "a" }) }],
    ["reasoning_effort", { reasoning_effort: "extreme" }],
  ])("is refused with 400 that names %s", (param, more) => {
    const {
      status,
      param: named,
      message,
    } = apiErrorOf(() => chatOverAnthropic({ ...base, ...more }));
    expect({ status, named }).toEqual({ status: 400, named: param });
    expect(message).toContain(`\`${param}\``);
  });
});

describe("an answer of Anthropic's as a chat", () => {
  const translation = () => chatOverAnthropic(base);
  const event = (data: { type: string; [field: string]: unknown }) => ({
    event: data.type,
    data: JSON.stringify(data),
  });
  const start = event({ type: "message_start", message: { id: "msg_1", usage: {} } });

  test("counts what was read from and written to the cache as part of the prompt", () => {
    const usage = {
      input_tokens: 1,
      cache_read_input_tokens: 2,
      cache_creation_input_tokens: 4,
      output_tokens: 8,
    };
    const { usage: told } = translation().answer({ content: [], usage }) as { usage: object };
    expect(told).toEqual({
      prompt_tokens: 7,
      completion_tokens: 8,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 2 },
    });
  });

  test("passes over blocks and events of unknown types", () => {
    const content = [{ type: "hologram" }, { type: "text", text: "x" }];
    const answer = translation().answer({ content, stop_reason: "pause_turn" });
    const choices = [{ message: { content: "x" }, finish_reason: "stop" }];
    expect(answer).toMatchObject({ choices });
    const stream = translation().stream?.();
    expect(stream?.push(event({ type: "hologram" }))).toBe("");
    expect(stream?.push(event({ type: "ping" }))).toBe("");
  });

  test("takes null for what is absent", () => {
    const nothing = { id: null, model: null, usage: null, stop_sequence: null };
    const block = { type: "text", text: "x", id: null, name: null, signature: null };
    const answer = translation().answer({ ...nothing, content: [block], stop_reason: null });
    expect(answer).toMatchObject({ choices: [{ message: { content: "x" } }] });
    const events = [
      { type: "message_start", message: { ...nothing, content: null, stop_reason: null } },
      { type: "content_block_start", index: 0, content_block: { ...block, text: null } },
      { type: "content_block_delta", index: null, delta: { type: "text_delta", text: "x" } },
      { type: "content_block_stop", index: 0, message: null, delta: null, error: null },
      { type: "message_delta", delta: { type: null, stop_reason: "end_turn" }, usage: null },
      { type: "message_stop", content_block: null },
    ];
    const stream = translation().stream?.();
    const text = events.map((one) => stream?.push(event(one))).join("");
    expect(text).toContain('"content":"x"');
    expect(text).toEndWith("data: [DONE]\n\n");
  });

  test("fails for what is no message", () => {
    expect(() => translation().answer({ type: "error" })).toThrow("`content`");
    expect(() => translation().answer({ content: [{ type: "tool_use" }] })).toThrow("no id");
  });

  test("tells no usage in a stream if nobody asked", () => {
    const stream = translation().stream?.();
    const end = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: {} };
    const text = [start, event(end), event({ type: "message_stop" })]
      .map((one) => stream?.push(one))
      .join("");
    expect(text).not.toContain("usage");
    expect(text).toEndWith("data: [DONE]\n\n");
    expect(stream?.push(start)).toBe("");
    expect(stream?.end()).toBe("");
  });

  test.each([
    ["overloaded_error", "service_unavailable"],
    ["rate_limit_error", "rate_limit_error"],
    ["api_error", "service_unavailable"],
  ])("tells an error inside a stream: %s", (type, told) => {
    const stream = translation().stream?.();
    stream?.push(start);
    const error = { type, message: "Overloaded" };
    const text = `${stream?.push(event({ type: "error", error }))}${stream?.end()}`;
    const [data = ""] = text.split("\n");
    expect(JSON.parse(data.slice("data: ".length))).toMatchObject({
      error: { type: told, message: expect.stringContaining("Overloaded") },
    });
    expect(text).not.toContain("[DONE]");
  });

  test("is an error if the stream is none of messages", () => {
    for (const data of [
      "<html>",
      '{"type":"content_block_delta","delta":{"type":"text_delta","text":"x"}}',
    ]) {
      const text = translation().stream?.().push({ event: undefined, data });
      expect(text).toStartWith('data: {"error":');
    }
  });
});
