import { z } from "zod";
import { messagesOverChat } from "../../translation/messages/messages.ts";
import { nonsense } from "../../translation/reading.ts";
import { responsesOverChat } from "../../translation/responses/responses.ts";
import type { Translation } from "../../translation/translation.ts";
import { withoutPrefill } from "./prefill.ts";
import { PromptCount } from "./promptcount.ts";
import { withChosenTools } from "./toolchoice.ts";

/**
 * Engines answer chat completions; requests of these routes are put to them so. Each throws
 * `invalid_request` for what cannot be said.
 */
export const TRANSLATED: Readonly<Record<string, (request: unknown) => Translation>> = {
  "/v1/responses": responses,
  "/v1/messages": messages,
  "/v1/messages/count_tokens": countTokens,
};

/** Answers with the tokens of a chat, as its template and the model's tokenizer have it. */
const COUNT_PATH = "/v1/chat/completions/input_tokens";

function responses(request: unknown): Translation {
  const translation = responsesOverChat(request);
  return withoutPrefill({ ...translation, body: withChosenTools(translation.body) });
}

/** Streams of messages begin with the count of the prompt, so the engine is asked for progress. */
function messages(request: unknown): Translation {
  const { body, ...translation } = messagesOverChat(request);
  const asked = withoutPrefill({ ...translation, body: engineBody(request, body) });
  const { stream } = asked;
  if (stream === undefined || body.stream !== true) return asked;
  return {
    ...asked,
    body: { ...asked.body, return_progress: true },
    stream: () => new PromptCount(stream()),
  };
}

/** Counts what the same request to `/v1/messages` has, by the same translation. */
function countTokens(request: unknown): Translation {
  const { stream: _, return_progress: _p, ...body } = messages(request).body;
  return { path: COUNT_PATH, body, answer: countOf };
}

const Count = z.object({ input_tokens: z.number() });

function countOf(json: unknown): object {
  const count = Count.safeParse(json);
  if (!count.success) throw nonsense("it has no `input_tokens`", count.error);
  return count.data;
}

const Thinking = z.looseObject({
  thinking: z.looseObject({ type: z.literal("enabled"), budget_tokens: z.number() }),
});

/** The chat as an engine is asked it: llama.cpp knows a budget for thinking, chats do not. */
function engineBody(request: unknown, chat: Record<string, unknown>): Record<string, unknown> {
  const body = withChosenTools(withStableStart(chat));
  const budget = Thinking.safeParse(request).data?.thinking.budget_tokens;
  return budget === undefined ? body : { thinking_budget_tokens: budget, ...body };
}

const SystemFirst = z.looseObject({ role: z.literal("system"), content: z.string() });

/** A stamp of Anthropic's own clients in the first line, another one in each request. */
const STAMP = /^(x-anthropic-billing-header:[^\n]*?\bcch=)[0-9a-f]+/;

/** Without what would keep the engine from knowing the beginning of a conversation again. */
function withStableStart(chat: Record<string, unknown>): Record<string, unknown> {
  const [first, ...rest] = Array.isArray(chat.messages) ? chat.messages : [];
  const system = SystemFirst.safeParse(first).data;
  if (system === undefined || !STAMP.test(system.content)) return chat;
  const content = system.content.replace(STAMP, "$1-");
  return { ...chat, messages: [{ ...system, content }, ...rest] };
}
