import { expect, test } from "bun:test";
import fc from "fast-check";
import { responsesOverChat } from "./translation.ts";

interface Message {
  role: string;
  content: string | null;
  reasoning_content?: string;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** A message as the items that a client of the Responses API sends for it. */
function itemsOf(message: Message): object[] {
  const { role, content, reasoning_content: thought, tool_calls: calls = [] } = message;
  if (role === "tool") {
    return [{ type: "function_call_output", call_id: message.tool_call_id, output: content }];
  }
  if (role !== "assistant") return [{ role, content: [{ type: "input_text", text: content }] }];
  const said = { type: "message", role, content: [{ type: "output_text", text: content }] };
  return [
    ...(thought === undefined
      ? []
      : [{ type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: thought }] }]),
    ...(content === null ? [] : [said]),
    ...calls.map(({ id, function: called }) => ({ type: "function_call", call_id: id, ...called })),
  ];
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const thought = fc.option(text, { nil: undefined });
const asked = fc.record({ role: fc.constant("user"), content: text });
const directive = fc.record({ role: fc.constant("system"), content: text });
const answered = fc.record({ thought, content: text });
const called = fc.record({
  thought,
  content: fc.option(text, { nil: null }),
  calls: fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 3 }),
});

/**
 * Turns as a conversation has them: results follow their calls, and what the model says and calls
 * without anything in between is one turn of it.
 */
const turn: fc.Arbitrary<Message[]> = fc.oneof(
  asked.map((message) => [message]),
  fc
    .tuple(answered, asked)
    .map(([{ thought, content }, next]) => [assistant(thought, content, []), next]),
  called.map(({ thought, content, calls }) => {
    const toolCalls = calls.map(([name, args], i) => ({
      ...{ id: `call_${i}`, type: "function", function: { name, arguments: args } },
    }));
    const results = calls.map(([, , content], i) => ({
      ...{ role: "tool", tool_call_id: `call_${i}`, content },
    }));
    return [assistant(thought, content, toolCalls), ...results];
  }),
);
const turns = fc.array(turn, { minLength: 1, maxLength: 6 });

function assistant(
  thought: string | undefined,
  content: string | null,
  calls: NonNullable<Message["tool_calls"]>,
): Message {
  return {
    role: "assistant",
    content,
    ...(thought === undefined ? {} : { reasoning_content: thought }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

test("a conversation in items becomes the same conversation in messages", () => {
  fc.assert(
    fc.property(fc.option(directive), turns, (first, turns) => {
      const messages = [...(first === null ? [] : [first]), ...turns.flat()];
      const { body } = responsesOverChat({ model: "m", input: messages.flatMap(itemsOf) });
      expect(body.messages).toEqual(messages);
    }),
    { numRuns: 300 },
  );
});
