import { ROUTES } from "../../wire/route.ts";
import { isFields, type Transcript } from "./transcript.ts";

type Fields = Record<string, unknown>;

/** The streams that can be continued, by the routes that make them. */
export type StreamFormat =
  | "chat"
  | "generate"
  | "responses"
  | "anthropic_messages"
  | "ollama_chat"
  | "ollama_generate";

/** Notes what an event of a stream says. */
export const READERS: Readonly<Record<StreamFormat, (to: Transcript, event: Fields) => void>> = {
  chat: (to, event) => to.add(event),
  generate: (to, event) => to.add(event),
  responses: addResponseEvent,
  anthropic_messages: addMessageEvent,
  ollama_chat: (to, { message, ...line }) => addLine(to, isFields(message) ? message : {}, line),
  ollama_generate: (to, line) => addLine(to, { ...line, content: line.response }, line),
};

const BY_PATH = new Map<string | undefined, StreamFormat>(
  (Object.keys(READERS) as StreamFormat[]).map((name) => [ROUTES[name].path, name]),
);

/** The format of the streams of a path; undefined: one that nobody goes on with. */
export function streamFormatOf(pathAndQuery: string): StreamFormat | undefined {
  return BY_PATH.get(pathAndQuery.split("?", 1)[0]);
}

/** Names an event that comes once in a stream; undefined for pieces of text, which come often. */
export function nameOfEvent(event: Fields): string | undefined {
  const { type, index, output_index: item, content_index: part, summary_index: summary } = event;
  const isOften = type === "ping" || (/delta$/.test(String(type)) && type !== "message_delta");
  if (typeof type !== "string" || isOften) return undefined;
  return [type, item ?? index, part ?? summary].join(" ");
}

/** Puts a piece in the words of chat completions. */
function say(to: Transcript, delta: Fields): void {
  to.add({ choices: [{ index: 0, delta }] });
}

/** Source: https://platform.claude.com/docs/en/build-with-claude/streaming */
function addMessageEvent(to: Transcript, event: Fields): void {
  note(to, event);
  const { type, delta, content_block: block, message } = event;
  if (type === "message_start") {
    if (isFields(message)) to.head.id ??= message.id;
    say(to, { role: "assistant" });
  }
  if (isFields(block) && block.type !== "text" && block.type !== "thinking") {
    to.choice(0).hasMore = true;
  }
  if (type === "content_block_delta" && isFields(delta)) {
    if (delta.type === "text_delta") say(to, { content: delta.text });
    else if (delta.type === "thinking_delta") say(to, { reasoning_content: delta.thinking });
    else if (delta.type !== "signature_delta") to.choice(0).hasMore = true;
  }
  if (type === "content_block_stop" && to.choice(0).text !== "") to.isClosed = true;
  if (type === "message_delta" && isFields(delta) && isText(delta.stop_reason)) {
    to.choice(0).isFinished = true;
  }
  if (type === "message_stop") end(to);
}

const ITEMS = new Set<unknown>(["message", "reasoning"]);
const TEXTS = new Set<unknown>(["output_text", "reasoning_text", "summary_text"]);

/** Source: https://platform.openai.com/docs/api-reference/responses-streaming */
function addResponseEvent(to: Transcript, event: Fields): void {
  note(to, event);
  const { type, response, delta, item, part, sequence_number: number, output_index: at } = event;
  if (typeof number === "number") to.nextNumber = Math.max(to.nextNumber, number + 1);
  if (isFields(response)) {
    to.head.id ??= response.id;
    to.head.created ??= response.created_at;
  }
  if (type === "response.created") say(to, { role: "assistant" });
  if (isFields(item)) {
    if (!ITEMS.has(item.type)) to.choice(0).hasMore = true;
    to.items.set(Number(at), `${String(item.type)} ${String(item.id)}`);
  }
  if (isFields(part) && !TEXTS.has(part.type)) to.choice(0).hasMore = true;
  if (type === "response.output_text.done") to.isClosed = true;
  if (type === "response.output_text.delta") say(to, { content: delta });
  else if (type === "response.reasoning_text.delta") say(to, { reasoning_content: delta });
  else if (type === "response.reasoning_summary_text.delta") say(to, { reasoning_content: delta });
  else if (isText(type) && type.endsWith(".delta")) to.choice(0).hasMore = true;
  if (type === "response.completed" || type === "response.incomplete") end(to);
}

/** Source: https://github.com/ollama/ollama/blob/main/docs/api.md */
function addLine(to: Transcript, said: Fields, { done, logprobs }: Fields): void {
  const { content, thinking, tool_calls } = said;
  const delta = { content, reasoning_content: thinking, tool_calls };
  const count = Array.isArray(logprobs) ? { logprobs: { content: logprobs } } : {};
  to.add({ choices: [{ index: 0, delta, ...count }] });
  if (done === true) end(to);
}

function note(to: Transcript, event: Fields): void {
  const name = nameOfEvent(event);
  if (name !== undefined) to.events.add(name);
}

/** All was told, the usage as well. */
function end(to: Transcript): void {
  to.choice(0).isFinished = true;
  to.hasUsage = true;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
