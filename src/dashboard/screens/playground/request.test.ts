import { expect, test } from "bun:test";
import { type Conversation, type Lane, newConversation, type Step } from "./conversation.ts";
import { requestOf } from "./request.ts";

const step = (content: string, more: Partial<Step> = {}): Step => ({
  ...{ content, thinking: "", calls: [], ...more },
});
const lane = (...steps: Step[]): Lane => ({ model: "m", isJson: false, steps });

function conversation(changes: Partial<Conversation> = {}): Conversation {
  return { ...newConversation(), targets: [{ model: "m", endpoint: "" }], ...changes };
}

const said = (text: string, ...lanes: Lane[]) => ({ text, images: [], lanes });

test("what was said and answered goes along, thoughts and empty answers do not", () => {
  const turns = [
    said("one", lane(step("first", { thinking: "hm" }))),
    said("two", lane(step("", { error: "it broke" }))),
    said("three"),
  ];
  expect(requestOf(conversation({ turns }), 2, 0)).toEqual({
    headers: {},
    body: {
      ...{ model: "m", stream: true, stream_options: { include_usage: true } },
      messages: [
        { role: "user", content: "one" },
        { role: "assistant", content: "first" },
        { role: "user", content: "two" },
        { role: "user", content: "three" },
      ],
    },
  });
});

test("a second lane has its own answers, else the first one's, and its own endpoint", () => {
  const targets = [
    { model: "m", endpoint: "" },
    { model: "n", endpoint: "gpu ⚡ 1" },
  ];
  const turns = [
    said("one", lane(step("only m"))),
    said("two", lane(step("by m")), lane(step("by n"))),
    said("three", lane(), lane()),
  ];
  const { body, headers } = requestOf(conversation({ targets, turns }), 2, 1);
  expect(body.model).toBe("n");
  expect(headers).toEqual({ "x-llmlb-endpoint": "gpu%20%E2%9A%A1%201" });
  expect((body.messages as { content: string }[]).map(({ content }) => content)).toEqual([
    ...["one", "only m", "two", "by n", "three"],
  ]);
});

test("calls go along with their results; those without one are left out", () => {
  const calls = [
    { id: "a", name: "f", arguments: "{}", result: "1" },
    { id: "b", name: "f", arguments: "{}", result: null },
  ];
  const turns = [said("one", lane(step("", { calls })))];
  expect(requestOf(conversation({ turns }), 0, 0).body.messages).toEqual([
    { role: "user", content: "one" },
    {
      ...{ role: "assistant", content: null },
      tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "a", content: "1" },
  ]);
});

test("settings become fields; what is no number goes as it is", () => {
  const { settings, ...rest } = conversation({ turns: [said("hi")] });
  const tool = { name: "f", description: "", parameters: '{"type":"object"}', result: "" };
  const { body } = requestOf(
    {
      ...rest,
      settings: {
        ...{ ...settings, system: "Be brief.", temperature: "0", topP: "half", stop: "a\n\nb" },
        ...{ tools: [tool], toolChoice: "tool:f", format: "json" },
      },
    },
    0,
    0,
  );
  expect(body).toMatchObject({
    ...{ temperature: 0, top_p: "half", stop: ["a", "b"] },
    tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
    tool_choice: { type: "function", function: { name: "f" } },
    response_format: { type: "json_object" },
  });
  expect(body.messages).toHaveLength(2);
});
