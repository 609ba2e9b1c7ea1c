import { contentBlocks, type Json, prefillIn, thinkingSignature } from "./rules.ts";

/**
 * What the model behind the imitated API answers: nothing of wit, but the same each time.
 *
 * - It repeats what the user said last, behind the system text in brackets: `[Be brief.] Hello`.
 *   Images, documents and results of tools are named in round brackets.
 * - It calls the tools that the user writes calls of: `weather({"city":"Oslo"})`; one at least if
 *   it must.
 * - It thinks if it is asked to, and answers in the form of a schema if there is one.
 * - It goes on with a last message of its own.
 * - A word is a token: `max_tokens` counts words. `[refuse]` makes it refuse.
 */
export function answerTo(body: Json): Json {
  const said = lastSaid(body);
  const thinks = ["enabled", "adaptive"].includes(String((body.thinking as Json)?.type));
  const thoughts = `The user says: ${said}`;
  const calls = callsIn(said, body);
  const whole = calls.length > 0 ? "" : textFor(said, body);
  const begun = prefillIn(body.messages) ?? "";
  const { text, ...ending } = ended(
    body,
    whole.startsWith(begun) ? whole.slice(begun.length) : whole,
  );
  const content = [
    ...(thinks
      ? [{ type: "thinking", thinking: thoughts, signature: thinkingSignature(thoughts) }]
      : []),
    ...(text === "" ? [] : [{ type: "text", text }]),
    ...calls,
  ];
  const output_tokens = Math.max(1, JSON.stringify(content).split(/\s+/).length);
  const cached = JSON.stringify(body).includes('"cache_control"') ? 7 : 0;
  return {
    id: `msg_01${crypto.randomUUID().replaceAll("-", "").slice(0, 22)}`,
    type: "message",
    role: "assistant",
    model: body.model,
    content,
    ...(calls.length > 0 ? { stop_reason: "tool_use", stop_sequence: null } : ending),
    stop_details: null,
    usage: {
      input_tokens: countOf(body) - cached,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cached,
      output_tokens,
      service_tier: "standard",
    },
  };
}

/** The tokens of a request, as the stand-in counts them. */
export function countOf({ messages, system, tools }: Json): number {
  return 10 + Math.ceil(JSON.stringify([messages, system ?? "", tools ?? []]).length / 4);
}

function lastSaid({ messages }: Json): string {
  const last = (messages as Json[]).findLast(({ role }) => role === "user");
  return (contentBlocks(last?.content) ?? []).map(inWords).join(" ");
}

function inWords(block: Json): string {
  const source = (block.source ?? {}) as Json;
  switch (block.type) {
    case "text":
      return String(block.text);
    case "image":
      return `(image ${source.media_type ?? source.url})`;
    case "document":
      return `(document ${block.title ?? source.media_type})`;
    case "tool_result":
      return `(result ${(contentBlocks(block.content ?? "") ?? []).map(inWords).join(" ")})`;
    default:
      return "";
  }
}

function callsIn(said: string, { tools, tool_choice }: Json): Json[] {
  const choice = (tool_choice ?? { type: "auto" }) as Json;
  const list = (Array.isArray(tools) ? (tools as Json[]) : []).map(({ name }) => String(name));
  if (list.length === 0 || choice.type === "none") return [];
  const written = [...said.matchAll(/([\w-]+)\((\{.*?\})\)/g)]
    .map(([, name = "", input = ""]) => ({ name, input: JSON.parse(input) as unknown }))
    .filter(({ name }) => list.includes(name));
  const first = choice.type === "tool" ? String(choice.name) : (list[0] ?? "");
  const must = choice.type === "any" || choice.type === "tool";
  const named = must && written.length === 0 ? [{ name: first, input: {} }] : written;
  const calls = choice.disable_parallel_tool_use === true ? named.slice(0, 1) : named;
  return calls.map(({ name, input }, i) => {
    return { type: "tool_use", id: `toolu_01${i}${Bun.hash(said).toString(36)}`, name, input };
  });
}

function textFor(said: string, { system, output_config }: Json): string {
  const format = ((output_config as Json)?.format ?? undefined) as Json | undefined;
  if (format !== undefined) return JSON.stringify(example(format.schema as Json, said));
  const told = (contentBlocks(system ?? "") ?? []).map(({ text }) => text).join(" ");
  return told === "" ? said : `[${told}] ${said}`;
}

function example(schema: Json | null, said: string): unknown {
  switch (schema?.type) {
    case "object": {
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
      return Object.fromEntries(properties.map(([key, of]) => [key, example(of, said)]));
    }
    case "array":
      return [];
    case "boolean":
      return true;
    case "number":
    case "integer":
      return said.length;
    default:
      return said;
  }
}

function ended({ max_tokens: limit, stop_sequences: stops }: Json, text: string) {
  if (text.includes("[refuse]")) {
    return { text: "I cannot help with that.", stop_reason: "refusal", stop_sequence: null };
  }
  for (const stop of (stops ?? []) as string[]) {
    const at = text.indexOf(stop);
    if (at < 0) continue;
    return { text: text.slice(0, at), stop_reason: "stop_sequence", stop_sequence: stop };
  }
  const words = text.split(/(?<=\s)/);
  if (words.length <= (limit as number)) {
    return { text, stop_reason: "end_turn", stop_sequence: null };
  }
  const cut = words.slice(0, limit as number).join("");
  return { text: cut, stop_reason: "max_tokens", stop_sequence: null };
}

/**
 * The events of a streamed answer, in the order of the documentation: text by words, input of tools
 * in pieces of five characters, behind an empty one; a ping after the first block has begun.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export function messageFrames(message: Json): Json[] {
  const { content, stop_reason, stop_sequence, usage, ...head } = message;
  const { output_tokens, ...counted } = usage as Json;
  const begun = { ...counted, output_tokens: 1 };
  const start = { ...head, content: [], stop_reason: null, stop_sequence: null, usage: begun };
  const events: Json[] = [{ type: "message_start", message: start }];
  for (const [index, block] of (content as Json[]).entries()) {
    const { empty, deltas } = inPieces(block);
    events.push({ type: "content_block_start", index, content_block: empty });
    if (index === 0) events.push({ type: "ping" });
    events.push(...deltas.map((delta) => ({ type: "content_block_delta", index, delta })));
    events.push({ type: "content_block_stop", index });
  }
  const delta = { stop_reason, stop_sequence };
  events.push({ type: "message_delta", delta, usage: { ...counted, output_tokens } });
  return [...events, { type: "message_stop" }];
}

function inPieces(block: Json): { empty: Json; deltas: Json[] } {
  if (block.type === "tool_use") {
    const pieces = JSON.stringify(block.input).match(/[\s\S]{1,5}/g) ?? [];
    const deltas = ["", ...pieces].map((partial_json) => {
      return { type: "input_json_delta", partial_json };
    });
    return { empty: { ...block, input: {} }, deltas };
  }
  const field = block.type === "thinking" ? "thinking" : "text";
  const words = String(block[field]).split(/(?<=\s)/);
  const deltas: Json[] = words.map((piece) => ({ type: `${field}_delta`, [field]: piece }));
  if (block.type === "text") return { empty: { type: "text", text: "" }, deltas };
  deltas.push({ type: "signature_delta", signature: block.signature });
  return { empty: { type: "thinking", thinking: "", signature: "" }, deltas };
}
