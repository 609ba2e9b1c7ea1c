import { describe, expect, test } from "bun:test";
import { apiErrorOf } from "../../../testkit/translation/apierror.ts";
import { statefulFieldRefusal } from "./statefulfields.ts";
import { responsesOverChat } from "./translation.ts";

const body = (request: object) => responsesOverChat({ model: "m", ...request }).body;
const messages = (input: unknown, more: object = {}) => body({ input, ...more }).messages;

describe("the messages of a response", () => {
  test("are a text, after the instructions", () => {
    expect(messages("hi", { instructions: "be brief" })).toEqual([
      { role: "system", content: "be brief" },
      { role: "user", content: "hi" },
    ]);
  });

  test("have texts, images, files and audio", () => {
    const content = [
      { type: "input_text", text: "see" },
      { type: "input_image", image_url: "data:image/png;base64,aGk=", detail: "low" },
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" },
      { type: "input_audio", input_audio: { data: "aGk=", format: "wav" } },
    ];
    expect(messages([{ role: "user", content }])).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "see" },
          { type: "image_url", image_url: { url: "data:image/png;base64,aGk=", detail: "low" } },
          {
            type: "file",
            file: { file_data: "data:application/pdf;base64,aGk=", filename: "a.pdf" },
          },
          { type: "input_audio", input_audio: { data: "aGk=", format: "wav" } },
        ],
      },
    ]);
  });

  test("put one turn of the model together, whatever the order of its items", () => {
    const call = (n: number) => ({
      ...{ type: "function_call", id: `fc_${n}`, call_id: `c${n}`, name: "f", arguments: `{${n}` },
    });
    const output = (n: number, output: unknown) => ({
      ...{ type: "function_call_output", call_id: `c${n}`, output },
    });
    const said = { type: "message", role: "assistant", status: "completed", id: "msg_1" };
    const input = [
      { role: "developer", content: "rules" },
      { role: "user", content: "go" },
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "hm" }] },
      call(1),
      { ...said, content: [{ type: "output_text", text: "wait", annotations: [] }] },
      call(2),
      output(1, "one"),
      output(2, [{ type: "input_text", text: "two" }]),
      { ...said, content: [{ type: "output_text", text: "done", annotations: [] }] },
      { ...said, content: [{ type: "refusal", refusal: "no" }] },
    ];
    const toolCall = (n: number) => ({
      ...{ id: `c${n}`, type: "function", function: { name: "f", arguments: `{${n}` } },
    });
    expect(messages(input)).toEqual([
      { role: "system", content: "rules" },
      { role: "user", content: "go" },
      {
        role: "assistant",
        content: "wait",
        reasoning_content: "hm",
        tool_calls: [toolCall(1), toolCall(2)],
      },
      { role: "tool", tool_call_id: "c1", content: "one" },
      { role: "tool", tool_call_id: "c2", content: "two" },
      { role: "assistant", content: "done" },
      { role: "assistant", content: null, refusal: "no" },
    ]);
  });
});

test("every setting has its place in the chat completion", () => {
  const schema = { type: "object", properties: {} };
  const request = {
    ...{ input: "x", temperature: 0, top_p: 0.5, max_output_tokens: 9, top_logprobs: 2 },
    ...{ parallel_tool_calls: false, user: "u", safety_identifier: "s", prompt_cache_key: "k" },
    ...{ store: true, metadata: { a: "b" }, truncation: "auto", stream: true, top_k: 4 },
    text: { format: { type: "json_schema", name: "n", schema, strict: true }, verbosity: "low" },
    reasoning: { effort: "high", summary: "auto" },
    include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
    tools: [{ type: "function", name: "f", description: "d", parameters: schema, strict: false }],
    tool_choice: { type: "function", name: "f" },
  };
  expect(body(request)).toEqual({
    model: "m",
    messages: [{ role: "user", content: "x" }],
    ...{ temperature: 0, top_p: 0.5, max_tokens: 9, logprobs: true, top_logprobs: 2, top_k: 4 },
    ...{ parallel_tool_calls: false, user: "u", safety_identifier: "s", prompt_cache_key: "k" },
    response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
    ...{ verbosity: "low", reasoning_effort: "high" },
    tools: [
      {
        type: "function",
        function: { name: "f", description: "d", parameters: schema, strict: false },
      },
    ],
    tool_choice: { type: "function", function: { name: "f" } },
    ...{ stream: true, stream_options: { include_usage: true } },
  });
});

test("allowed tools are the only ones that the model sees", () => {
  const tools = ["a", "b", "c"].map((name) => ({ type: "function", name }));
  const allowed = [{ type: "function", name: "b" }];
  const choice = { type: "allowed_tools", mode: "required", tools: allowed };
  expect(body({ input: "x", tools, tool_choice: choice })).toMatchObject({
    tools: [{ type: "function", function: { name: "b" } }],
    tool_choice: "required",
  });
  const unknown = { ...choice, tools: [{ type: "function", name: "z" }] };
  const request = { input: "x", tools, tool_choice: unknown };
  expect(apiErrorOf(() => body(request))).toMatchObject({
    status: 400,
    param: "tool_choice.tools.0.name",
  });
});

test.each([{}, { tools: [] }, { tools: null }])(
  "without tools there is nothing to choose or to call in parallel: %j",
  (none) => {
    for (const tool_choice of ["none", "auto", "required", { type: "function", name: "f" }]) {
      const sent = body({ input: "x", ...none, tool_choice, parallel_tool_calls: true });
      expect(sent).toEqual({ model: "m", messages: [{ role: "user", content: "x" }] });
    }
  },
);

const user = { role: "user", content: "x" };
test.each<[object, string]>([
  [{ previous_response_id: "resp_1" }, "previous_response_id"],
  [{ conversation: "conv_1" }, "conversation"],
  [{ prompt: { id: "p" } }, "prompt"],
  [{ background: true }, "background"],
  [{ input: [user, { type: "item_reference", id: "msg_1" }] }, "input.1"],
  [{ input: [{ id: "msg_1" }] }, "input.0"],
])("what needs state is refused: %j", (fields, param) => {
  const request = { model: "m", input: "x", ...fields };
  const refusals = [statefulFieldRefusal(request), apiErrorOf(() => responsesOverChat(request))];
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({ status: 400, code: "unsupported_state", param });
  }
});

test("what needs no state is not refused", () => {
  const none = { previous_response_id: null, conversation: null, prompt: null, background: false };
  const input = [user, { type: "reasoning", id: "rs", summary: [] }];
  expect(statefulFieldRefusal({ model: "m", input, ...none })).toBeUndefined();
  expect(statefulFieldRefusal("nonsense is somebody else's business")).toBeUndefined();
});

const HOSTED = [
  ...["web_search", "file_search", "computer_use_preview", "code_interpreter", "mcp"],
  ...["image_generation", "custom"],
];

test.each(HOSTED)("%s, which OpenAI runs itself, is left out beside functions", (type) => {
  const tools = [{ type }, { type: "function", name: "f" }];
  const { tools: given } = body({ input: "x", tools, tool_choice: "auto" });
  expect(given).toEqual([{ type: "function", function: { name: "f" } }]);
});

test.each<[object, string]>([
  ...HOSTED.map((type): [object, string] => [{ tools: [{ type }] }, "tools.0.type"]),
  [{ tools: [{ type: "function" }] }, "tools.0.name"],
  [{ tool_choice: { type: "file_search" } }, "tool_choice.type"],
  [{ tool_choice: { type: "function" } }, "tool_choice.name"],
  [{ include: ["file_search_call.results"] }, "include.0"],
  [{ input: [] }, "input"],
  [{ input: undefined }, "input"],
  [{ input: 7 }, "input"],
  [{ input: [{ type: "computer_call" }] }, "input.0"],
  [{ input: [{ type: "function_call", call_id: "c", name: "f" }] }, "input.0.arguments"],
  [{ input: [{ role: "nobody", content: "x" }] }, "input.0.role"],
  [{ input: [{ role: "user" }] }, "input.0.content"],
  [{ input: [{ role: "user", content: [{ type: "input_text" }] }] }, "input.0.content.0.text"],
  [
    { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] },
    "input.0.content.0",
  ],
  [
    { input: [{ role: "user", content: [{ type: "input_file", file_url: "f" }] }] },
    "input.0.content.0",
  ],
  [{ text: { format: { type: "json_schema", name: "n" } } }, "text.format.schema"],
  [{ temperature: "hot" }, "temperature"],
])("what chat completions cannot say is refused by name: %j", (fields, param) => {
  const { status, param: named, message } = apiErrorOf(() => body({ input: "x", ...fields }));
  expect(status).toBe(400);
  expect(named).toBe(param);
  expect(message).toContain(`\`${param}\``);
});
