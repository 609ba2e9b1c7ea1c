import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chunksOf, completion, serverEvent, USAGE } from "../../../testkit/servers/translating.ts";
import { EventReader } from "../../../wire/sse.ts";
import { responsesOverChat } from "./translation.ts";

type Json = Record<string, unknown>;

interface Event extends Json {
  type: string;
  sequence_number: number;
  response?: { status: string; output: Json[]; error: unknown; usage: unknown };
}

const REQUEST = { model: "m", input: "x", stream: true };

/** The client's events for the endpoint's, each pushed alone. */
function translated(events: (object | string)[]): Event[] {
  const stream = responsesOverChat(REQUEST).stream?.();
  const text = events.map((event) => stream?.push(serverEvent(event))).join("") + stream?.end();
  const read = new EventReader().push(new TextEncoder().encode(text));
  return read.map(({ event, data }) => {
    const json = JSON.parse(data) as Event;
    expect(json.type).toBe(event ?? "");
    return json;
  });
}

const names = (events: Event[]) => events.map(({ type }) => type.replace("response.", ""));
const call = (index: number, piece: object) => ({ tool_calls: [{ index, ...piece }] });

/** Items without what differs from answer to answer. */
function plain(output: readonly unknown[]): unknown[] {
  return output.map((item) => ({ ...(item as object), id: "" }));
}

test("the events of a whole conversation come in the order of the API", () => {
  const deltas = [
    { role: "assistant", content: "" },
    { reasoning_content: "hm" },
    { content: "Hi" },
    { content: "!" },
    call(0, { id: "a", function: { name: "f", arguments: "" } }),
    call(0, { function: { arguments: "{}" } }),
  ];
  const events = translated(chunksOf(deltas, { finish: "tool_calls", usage: USAGE }));
  expect(names(events)).toEqual([
    ...["created", "in_progress"],
    ...["output_item.added", "content_part.added", "reasoning_text.delta"],
    ...["reasoning_text.done", "content_part.done", "output_item.done"],
    ...["output_item.added", "content_part.added", "output_text.delta", "output_text.delta"],
    ...["output_text.done", "content_part.done", "output_item.done"],
    ...["output_item.added", "function_call_arguments.delta", "function_call_arguments.done"],
    ...["output_item.done", "completed"],
  ]);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
  const last = events.at(-1)?.response;
  expect(plain(last?.output ?? [])).toEqual([
    {
      ...{ id: "", type: "reasoning", status: "completed", summary: [] },
      content: [{ type: "reasoning_text", text: "hm" }],
    },
    {
      ...{ id: "", type: "message", status: "completed", role: "assistant" },
      content: [{ type: "output_text", text: "Hi!", annotations: [], logprobs: [] }],
    },
    {
      ...{ id: "", type: "function_call", status: "completed" },
      ...{ call_id: "a", name: "f", arguments: "{}" },
    },
  ]);
  expect(last?.usage).toEqual({
    input_tokens: 7,
    input_tokens_details: { cached_tokens: 3 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 2 },
    total_tokens: 12,
  });
});

test("each item is told of under one id and place, and done as it is in the end", () => {
  const deltas = [
    call(0, { id: "a", function: { name: "f", arguments: "{" } }),
    call(1, { id: "b", function: { name: "g", arguments: "[" } }),
    call(0, { function: { arguments: "}" } }),
    call(1, { function: { arguments: "]" } }),
    // Some servers number every call 0.
    call(0, { id: "c", function: { name: "h", arguments: "()" } }),
  ];
  const events = translated(chunksOf(deltas));
  const output = events.at(-1)?.response?.output ?? [];
  expect(output.map(({ call_id, arguments: args }) => [call_id, args])).toEqual([
    ["a", "{}"],
    ["b", "[]"],
    ["c", "()"],
  ]);
  for (const event of events.filter(({ type }) => type.includes("function_call_arguments"))) {
    expect(output[event.output_index as number]?.id).toBe(event.item_id as string);
  }
  const done = events.filter(({ type }) => type === "response.output_item.done");
  expect(done.map(({ item }) => item as Json)).toEqual(output);
});

describe("a stream that ends otherwise", () => {
  const hi = [{ content: "Hi" }];

  test.each(["length", "content_filter"])("is incomplete: %s", (finish) => {
    const reason = finish === "length" ? "max_output_tokens" : finish;
    const last = translated(chunksOf(hi, { finish })).at(-1);
    expect(last?.type).toBe("response.incomplete");
    expect(last?.response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason },
      output: [{ status: "incomplete" }],
    });
  });

  test.each<[string, (object | string)[], RegExp]>([
    ["it breaks off", chunksOf(hi, { finish: null }).slice(0, -1), /broke off/],
    ["nothing comes", [], /broke off/],
    ["only its end comes", ["[DONE]"], /broke off/],
    ["an error comes", [...chunksOf(hi).slice(0, 1), { error: { message: "oh" } }], /oh/],
    ["an error in words comes", [{ error: "oh no" }], /oh no/],
    ["no JSON comes", [...chunksOf(hi).slice(0, 1), "{"], /no JSON/],
    ["nonsense comes", [...chunksOf(hi).slice(0, 1), { choices: 1 }], /choices/],
  ])("has failed when %s", (_, given, reason) => {
    const events = translated(given);
    expect(names(events).slice(-2)).toEqual(["error", "failed"]);
    expect(names(events)).not.toContain("completed");
    const [error, failed] = events.slice(-2);
    expect(error?.message).toMatch(reason);
    expect(failed?.response).toMatchObject({ status: "failed", error: { code: "server_error" } });
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
  });

  test("is complete when only the last event is missing", () => {
    expect(names(translated(chunksOf(hi).slice(0, -1))).at(-1)).toBe("completed");
  });
});

test("an answer without anything has a message without text, streamed or not", () => {
  const whole = responsesOverChat(REQUEST).answer(completion({ content: null })) as Json;
  const streamed = translated(chunksOf([])).at(-1)?.response?.output ?? [];
  const empty = { type: "output_text", text: "", annotations: [], logprobs: [] };
  expect(plain(whole.output as unknown[])).toMatchObject([{ type: "message", content: [empty] }]);
  expect(plain(streamed)).toEqual(plain(whole.output as unknown[]));
});

test("a stream, cut anywhere, says what the whole answer says", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  const calls = fc.array(fc.record({ id: fc.uuid(), name: text, arguments: text }), {
    maxLength: 3,
  });
  const message = fc.record({ reasoning_content: text, content: text, refusal: text, calls });
  const finish = fc.constantFrom("stop", "tool_calls", "length", "content_filter");
  const cuts = fc.array(fc.nat(5), { minLength: 1 });
  fc.assert(
    fc.property(message, finish, cuts, ({ calls, ...texts }, finish, cuts) => {
      const tool_calls = calls.map(({ id, ...piece }) => ({
        id,
        type: "function",
        function: piece,
      }));
      const answer = completion({ ...texts, tool_calls }, finish, { usage: USAGE });
      const whole = responsesOverChat(REQUEST).answer(answer) as Json;
      const deltas = [
        ...pieces(texts.reasoning_content, cuts).map((reasoning_content) => ({
          reasoning_content,
        })),
        ...pieces(texts.content, cuts).map((content) => ({ content })),
        ...pieces(texts.refusal, cuts).map((refusal) => ({ refusal })),
        ...calls.flatMap(({ id, name, arguments: args }, index) => [
          call(index, { id, function: { name } }),
          ...pieces(args, cuts).map((piece) => call(index, { function: { arguments: piece } })),
        ]),
      ];
      const last = translated(chunksOf(deltas, { finish, usage: USAGE })).at(-1)?.response;
      const { id: _, completed_at: __, output, ...rest } = whole;
      expect(last).toMatchObject(rest);
      expect(plain(last?.output ?? [])).toEqual(plain(output as unknown[]));
    }),
    { numRuns: 300 },
  );
});

function pieces(text: string, cuts: readonly number[]): string[] {
  const found: string[] = [];
  const chars = [...text];
  for (let i = 0; chars.length > 0; i += 1) {
    found.push(chars.splice(0, 1 + (cuts[i % cuts.length] ?? 0)).join(""));
  }
  return found;
}
