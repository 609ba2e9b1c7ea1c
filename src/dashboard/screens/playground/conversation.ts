import { z } from "zod";
import { keep, kept } from "../../app/storage.ts";

const Timings = z.object({
  queueMs: z.number().nullable(),
  firstTokenMs: z.number().nullable(),
  totalMs: z.number(),
  outputTokens: z.number().nullable(),
  cachedTokens: z.number().nullable(),
  endpoint: z.string().nullable(),
});
export type Timings = z.infer<typeof Timings>;

const Message = z.object({
  role: z.enum(["user", "assistant"]),
  content: z.string(),
  /** What a model thought before it answered. */
  thinking: z.string().default(""),
  /** Why an answer is not whole. */
  error: z.string().optional(),
  timings: Timings.optional(),
});
export type Message = z.infer<typeof Message>;

const Conversation = z.object({
  model: z.string(),
  system: z.string(),
  /** As typed; empty: the model's own. */
  temperature: z.string(),
  maxTokens: z.string(),
  messages: z.array(Message),
});
export type Conversation = z.infer<typeof Conversation>;

const KEPT_AS = "conversation";
const EMPTY: Conversation = {
  ...{ model: "", system: "", temperature: "", maxTokens: "" },
  messages: [],
};

/** The conversation that this browser has kept, else an empty one. */
export function keptConversation(): Conversation {
  try {
    return Conversation.parse(JSON.parse(kept(KEPT_AS) ?? ""));
  } catch {
    return EMPTY;
  }
}

/** Keeps a conversation in this browser. */
export function keepConversation(conversation: Conversation): void {
  keep(KEPT_AS, JSON.stringify(conversation));
}

/** What is asked of the chat completions API for the next answer. */
export function requestOf(conversation: Conversation): Record<string, unknown> {
  const { model, system, temperature, maxTokens, messages } = conversation;
  const instructions = system.trim() === "" ? [] : [{ role: "system", content: system }];
  return {
    model,
    messages: [...instructions, ...messages.map(({ role, content }) => ({ role, content }))],
    stream: true,
    stream_options: { include_usage: true },
    ...numberField("temperature", temperature),
    ...numberField("max_tokens", maxTokens),
  };
}

/** What is no number goes as it is: the server says what is wrong with it. */
function numberField(name: string, text: string): Record<string, unknown> {
  const trimmed = text.trim();
  if (trimmed === "") return {};
  const value = Number(trimmed);
  return { [name]: Number.isNaN(value) ? trimmed : value };
}
