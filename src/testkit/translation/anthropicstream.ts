import type { StreamTranslation } from "../../translation/translation.ts";
import { EventReader, type ServerEvent } from "../../wire/sse.ts";
import type { AnthropicAnswer } from "./anthropicanswer.ts";

/** Cuts a text where `cuts` say; every piece has at least one character. */
function pieces(text: string, cuts: readonly number[]): string[] {
  const places = cuts.map((cut) => cut % Math.max(1, text.length));
  const ends = [...new Set([...places, text.length])].toSorted((a, b) => a - b);
  return ends.map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end)).filter((p) => p !== "");
}

/** A message as Anthropic streams it. */
export function messageEvents(
  { message }: AnthropicAnswer,
  cuts: readonly number[],
): ServerEvent[] {
  const { content, stop_reason, stop_sequence, usage, ...head } = message;
  const begun = { ...usage, output_tokens: 1 };
  const start = { ...head, content: [], stop_reason: null, stop_sequence: null, usage: begun };
  const events: object[] = [{ type: "message_start", message: start }, { type: "ping" }];
  for (const [index, block] of content.entries()) {
    const { content_block, type, field, value } = told(block);
    events.push({ type: "content_block_start", index, content_block });
    for (const piece of pieces(value, cuts)) {
      events.push({ type: "content_block_delta", index, delta: { type, [field]: piece } });
    }
    events.push({ type: "content_block_stop", index });
  }
  events.push({ type: "message_delta", delta: { stop_reason, stop_sequence }, usage });
  events.push({ type: "message_stop" });
  return events.map((event) => {
    return { event: String(Reflect.get(event, "type")), data: JSON.stringify(event) };
  });
}

type Block = AnthropicAnswer["message"]["content"][number];

function told(block: Block) {
  if ("text" in block) {
    const content_block = { type: "text", text: "" };
    return { content_block, type: "text_delta", field: "text", value: block.text };
  }
  if ("thinking" in block) {
    const content_block = { type: "thinking", thinking: "", signature: "" };
    return { content_block, type: "thinking_delta", field: "thinking", value: block.thinking };
  }
  const content_block = { ...block, input: {} };
  const value = JSON.stringify(block.input);
  return { content_block, type: "input_json_delta", field: "partial_json", value };
}

/** A completion as servers stream it; the pieces of its calls are mixed as `order` says. */
export function chatEvents(
  { completion }: AnthropicAnswer,
  cuts: readonly number[],
  order: readonly number[],
): ServerEvent[] {
  const { choices, usage, object: _, ...head } = completion;
  const [choice] = choices;
  if (choice === undefined) throw new Error("an answer has a choice");
  const { message, finish_reason, logprobs, ...more } = choice;
  const chunk = (delta: object, finish: object = { finish_reason: null }) => ({
    ...head,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, ...finish }],
  });
  const texts = (field: string, value: string | null | undefined) =>
    pieces(value ?? "", cuts).map((piece) => chunk({ [field]: piece }));
  const calls = (message.tool_calls ?? []).map(({ id, type, function: called }, index) => [
    chunk({ tool_calls: [{ index, id, type, function: { name: called.name, arguments: "" } }] }),
    ...pieces(called.arguments, cuts).map((piece) =>
      chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
    ),
  ]);
  const all: (object | string)[] = [
    chunk({ role: "assistant", content: "" }),
    ...texts("reasoning_content", message.reasoning_content),
    ...texts("content", message.content),
    ...mixed(calls, order),
    chunk({}, { finish_reason, ...more }),
    { ...head, choices: [], usage },
    "[DONE]",
  ];
  return all.map((data) => ({
    event: undefined,
    data: typeof data === "string" ? data : JSON.stringify(data),
  }));
}

/** One list of several, each in its own order; they begin one after the other. */
function mixed<T>(lists: T[][], order: readonly number[]): T[] {
  const rest = lists.map((list) => [...list]);
  const out: T[] = [];
  let begun = 0;
  for (let i = 0; rest.some((list) => list.length > 0); i += 1) {
    const open = rest.slice(0, begun + 1).filter((list) => list.length > 0);
    const from = open[(order[i % Math.max(1, order.length)] ?? 0) % Math.max(1, open.length)];
    const next = from?.shift();
    if (next !== undefined) out.push(next);
    begun = rest.findLastIndex((list, at) => list.length < (lists[at]?.length ?? 0)) + 1;
  }
  return out;
}

/** The bytes that a client gets for these events. */
export function streamed(translation: StreamTranslation, events: readonly ServerEvent[]): string {
  return events.map((event) => translation.push(event)).join("") + translation.end();
}

/** The events of a stream whose bytes come cut at `cuts`. */
export function eventsIn(stream: string, cuts: readonly number[] = []): ServerEvent[] {
  const bytes = new TextEncoder().encode(stream);
  const reader = new EventReader();
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
  const ends = [...places, bytes.length];
  const events = ends.flatMap((end, i) => reader.push(bytes.slice(ends[i - 1] ?? 0, end)));
  return [...events, ...reader.end()];
}
