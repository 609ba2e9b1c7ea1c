import { describe, expect, test } from "bun:test";
import { responsesOverChat } from "./translation.ts";

const user = { role: "user", content: "x" };
const shell = { type: "function", name: "shell", parameters: { type: "object", properties: {} } };
const body = (request: object) => responsesOverChat({ model: "m", ...request }).body;
const messages = (input: object[]) => body({ input, tools: [shell] }).messages;
const call = (id: string, name: string, args: object) => ({
  ...{ id, type: "function", function: { name, arguments: JSON.stringify(args) } },
});
const called = (...calls: object[]) => ({ role: "assistant", content: null, tool_calls: calls });
const told = (tool_call_id: string, content: unknown) => ({ role: "tool", tool_call_id, content });

describe("items of a history that chat completions have no words for", () => {
  test.each([
    ...["web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools"],
    ...["image_generation_call", "compaction", "compaction_summary", "context_compaction"],
    ...["tool_search_call", "tool_search_output", "additional_tools", "ghost_snapshot"],
  ])("are passed over: %s", (type) => {
    const silent = { type, id: "w", status: "completed", encrypted_content: "x" };
    expect(messages([silent, user, silent])).toEqual([user]);
  });

  test("calls with a text are calls with one argument", () => {
    const items = [
      { type: "custom_tool_call", call_id: "c1", name: "apply_patch", input: 'a "b"' },
      { type: "custom_tool_call_output", call_id: "c1", output: "ok" },
    ];
    expect(messages([user, ...items])).toEqual([
      user,
      called(call("c1", "apply_patch", { input: 'a "b"' })),
      told("c1", "ok"),
    ]);
  });

  test("calls of a shell and of patches are calls of what they are named after", () => {
    const exec = { type: "exec", command: ["ls"], timeout_ms: 5 };
    const operation = { type: "delete_file", path: "a" };
    const ran = [{ stdout: "a", stderr: "", outcome: { type: "exit", exit_code: 0 } }];
    const items = [
      { type: "local_shell_call", call_id: "c1", status: "completed", action: exec },
      { type: "function_call_output", call_id: "c1", output: "a" },
      { type: "local_shell_call", id: "c2", call_id: null, action: exec },
      { type: "local_shell_call_output", id: "c2", output: "b" },
      { type: "shell_call", call_id: "c3", action: { commands: ["ls"] } },
      { type: "shell_call_output", call_id: "c3", output: ran },
      { type: "apply_patch_call", call_id: "c4", operation },
      { type: "apply_patch_call_output", call_id: "c4", status: "completed" },
    ];
    const command = { command: ["ls"], timeout_ms: 5 };
    expect(messages([user, ...items])).toEqual([
      user,
      ...[called(call("c1", "local_shell", command)), told("c1", "a")],
      ...[called(call("c2", "local_shell", command)), told("c2", "b")],
      ...[called(call("c3", "shell", { commands: ["ls"] })), told("c3", JSON.stringify(ran))],
      ...[called(call("c4", "apply_patch", operation)), told("c4", "completed")],
    ]);
  });

  test("images in results are shown by the user behind them", () => {
    const image = { type: "input_image", image_url: "data:image/png;base64,aGk=" };
    const result = (call_id: string, output: unknown) => ({
      ...{ type: "function_call_output", call_id, output },
    });
    const made = (call_id: string) => ({
      ...{ type: "function_call", call_id, name: "shell", arguments: "{}" },
    });
    const text = { type: "input_text", text: "seen" };
    const shown = [
      { type: "text", text: "Attached to the result of c1:" },
      { type: "image_url", image_url: { url: image.image_url } },
    ];
    const turn = [made("c1"), made("c2"), result("c1", [text, image]), result("c2", "ok")];
    const calls = called(call("c1", "shell", {}), call("c2", "shell", {}));
    const results = [told("c1", "seen"), told("c2", "ok")];
    expect(messages([user, ...turn])).toEqual([
      ...[user, calls, ...results, { role: "user", content: shown }],
    ]);
    expect(messages([user, ...turn, user])).toEqual([
      ...[user, calls, ...results],
      { role: "user", content: [...shown, { type: "text", text: "x" }] },
    ]);
  });
});

const format = { type: "grammar", syntax: "lark", definition: "start: x" };
const patch = { type: "custom", name: "apply_patch", description: "d", format };
const group = { type: "namespace", name: "mcp__a", tools: [{ ...shell, name: "b" }] };
const names = (request: object) => {
  const tools = (body(request).tools ?? []) as { function: { name: string } }[];
  return tools.map((tool) => tool.function.name);
};

describe("tools that chat completions have no words for", () => {
  test("take a text as their only argument", () => {
    expect(body({ input: "x", tools: [patch] }).tools).toEqual([
      {
        type: "function",
        function: {
          name: "apply_patch",
          description: "d",
          parameters: {
            type: "object",
            properties: {
              input: {
                type: "string",
                description: "A text that follows this grammar (lark):\nstart: x",
              },
            },
            required: ["input"],
            additionalProperties: false,
          },
        },
      },
    ]);
  });

  test("stand beside the others, out of groups and out of items, each name once", () => {
    const brought = { type: "additional_tools", role: "developer", tools: [patch, shell] };
    const found = { type: "tool_search_output", tools: [group] };
    const input = [brought, user, found];
    const tools = [{ type: "web_search" }, shell];
    expect(names({ input, tools })).toEqual(["shell", "apply_patch", "b"]);
    expect(names({ input: [brought, user] })).toEqual(["apply_patch", "shell"]);
    expect(names({ input: "x", tools: [group, shell] })).toEqual(["b", "shell"]);
  });

  test("may be chosen by name; those that OpenAI runs are left out of a choice", () => {
    const tools = [patch, shell];
    const one = { type: "custom", name: "apply_patch" };
    expect(body({ input: "x", tools, tool_choice: one }).tool_choice).toEqual({
      ...{ type: "function", function: { name: "apply_patch" } },
    });
    const choice = { type: "allowed_tools", mode: "auto", tools: [{ type: "web_search" }, one] };
    expect(names({ input: "x", tools, tool_choice: choice })).toEqual(["apply_patch"]);
  });
});

describe("calls of such tools come back in the client's words", () => {
  const asked = { model: "m", input: "x", tools: [patch, group, shell] };
  const calls = [
    ...[call("c1", "apply_patch", { input: 'a "b"' }), call("c2", "b", {})],
    call("c3", "shell", {}),
  ];
  const items = [
    { type: "custom_tool_call", call_id: "c1", name: "apply_patch", input: 'a "b"' },
    { type: "function_call", call_id: "c2", name: "b", namespace: "mcp__a", arguments: "{}" },
    { type: "function_call", call_id: "c3", name: "shell", arguments: "{}" },
  ];

  test("in a whole answer", () => {
    const message = { role: "assistant", content: null, tool_calls: calls };
    const choice = { index: 0, message, finish_reason: "tool_calls" };
    expect(responsesOverChat(asked).answer({ choices: [choice] })).toMatchObject({ output: items });
  });

  test("in a stream", () => {
    const stream = responsesOverChat({ ...asked, stream: true }).stream?.();
    const chunk = (delta: object, finish_reason: string | null) =>
      JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] });
    const pieces = calls.map((made, index) => ({ index, ...made }));
    const sent = [chunk({ tool_calls: pieces }, null), chunk({}, "tool_calls"), "[DONE]"];
    const text = sent.map((data) => stream?.push({ event: undefined, data })).join("");
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ""));
    const types = events.map(({ type }) => type);
    const done = events.filter(({ type }) => type === "response.output_item.done");
    expect(done.map(({ item }) => item)).toMatchObject(items);
    expect(events.at(-1).response.output).toMatchObject(items);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
    expect(events.find(({ item }) => item?.call_id === "c1").item.input).toBe("");
    const input = events.filter(({ type }) => type.startsWith("response.custom_tool_call_input"));
    expect(input).toMatchObject([{ delta: 'a "b"' }, { input: 'a "b"' }]);
    expect(types.filter((type) => type.endsWith("arguments.done"))).toHaveLength(2);
  });
});
