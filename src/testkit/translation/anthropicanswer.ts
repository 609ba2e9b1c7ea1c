import fc from "fast-check";
import { MODEL, some, someText, toolCall } from "./anthropicrequest.ts";

/** An answer in both APIs' words; the stop sequence that may have ended it is `END`. */
export const answer = fc
  .record({
    thoughts: some(someText),
    said: some(someText),
    calls: fc.array(toolCall, { maxLength: 3 }),
    ending: fc.constantFrom("end_turn", "max_tokens", "refusal", "stop_sequence"),
    input: fc.nat(999),
    cached: fc.nat(999),
    output: fc.nat(999),
    thinking: some(fc.nat(99)),
  })
  .map((told) => {
    const works = told.calls.length > 0 && !/max|refusal/.test(told.ending);
    const all = { ...told, ending: works ? "tool_use" : told.ending };
    return { message: messageOf(all), completion: completionOf(all) };
  });

export type AnthropicAnswer = typeof answer extends fc.Arbitrary<infer A> ? A : never;

interface AnswerParts {
  thoughts: string | undefined;
  said: string | undefined;
  calls: { name: string; input: Record<string, unknown> }[];
  ending: string;
  input: number;
  cached: number;
  output: number;
  thinking: number | undefined;
}

function messageOf({ thoughts, said, calls, ending, ...counts }: AnswerParts) {
  const { input, cached, output, thinking } = counts;
  return {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: MODEL,
    content: [
      ...(thoughts === undefined ? [] : [{ type: "thinking", thinking: thoughts, signature: "" }]),
      ...(said === undefined ? [] : [{ type: "text", text: said }]),
      ...calls.map((of, i) => ({ type: "tool_use", id: `toolu_${i}`, ...of })),
    ],
    stop_reason: ending,
    stop_sequence: ending === "stop_sequence" ? "END" : null,
    usage: {
      input_tokens: input,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cached,
      output_tokens: output,
      ...(thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
    },
  };
}

const FINISHES: Record<string, string> = {
  max_tokens: "length",
  refusal: "content_filter",
  tool_use: "tool_calls",
};

function completionOf({ thoughts, said, calls, ending, ...counts }: AnswerParts) {
  const { input, cached, output, thinking } = counts;
  const tool_calls = calls.map(({ name, input: given }, i) => {
    const called = { name, arguments: JSON.stringify(given) };
    return { id: `toolu_${i}`, type: "function", function: called };
  });
  const message = {
    role: "assistant",
    content: said ?? (calls.length > 0 ? null : ""),
    refusal: null,
    ...(thoughts === undefined ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls }),
  };
  const finish_reason = FINISHES[ending] ?? "stop";
  const sequence = ending === "stop_sequence" ? { stop_reason: "END" } : {};
  const thought = { completion_tokens_details: { reasoning_tokens: thinking } };
  return {
    id: "chatcmpl-01",
    object: "chat.completion",
    created: 0,
    model: MODEL,
    choices: [{ index: 0, message, logprobs: null, finish_reason, ...sequence }],
    usage: {
      prompt_tokens: input + cached,
      completion_tokens: output,
      total_tokens: input + cached + output,
      prompt_tokens_details: { cached_tokens: cached },
      ...(thinking === undefined ? {} : thought),
    },
  };
}
