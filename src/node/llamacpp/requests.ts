import { z } from "zod";
import { anthropicMessagesOverChat } from "../../translation/client/anthropic/translation.ts";
import { responsesOverChat } from "../../translation/client/responses/translation.ts";
import { unreadableAnswer } from "../../translation/errors.ts";
import type { Translation } from "../../translation/translation.ts";
import { ROUTES, type RouteName } from "../../wire/route.ts";
import { type Adaptation, engineChat, engineCompletion } from "./enginebody.ts";
import { withoutPrefill } from "./prefill.ts";
import { PromptCount } from "./promptcount.ts";

/**
 * The routes whose requests become chat completions for the engine. The translations throw
 * `invalid_request` for what a chat completion cannot express.
 */
export const TRANSLATIONS: Partial<Record<RouteName, (request: unknown) => Translation>> = {
  responses,
  anthropic_messages: messages,
  count_tokens: countTokens,
};

/** The routes whose requests llama.cpp reads differently from their API. */
export const ADAPTATIONS: Partial<Record<RouteName, Adaptation>> = {
  chat: engineChat,
  generate: engineCompletion,
};

/** llama.cpp's route that counts a chat's tokens with the model's own template and tokenizer. */
const COUNT_PATH = `${ROUTES.chat.path}/input_tokens`;

function responses(request: unknown): Translation {
  const translation = responsesOverChat(request);
  return withoutPrefill({ ...translation, body: engineChat(translation.body) });
}

/** Streams of messages begin with the prompt's size, which the engine's progress events have. */
function messages(request: unknown): Translation {
  const { body, ...translation } = anthropicMessagesOverChat(request);
  const chat = withoutPrefill({ ...translation, body: engineBody(request, body) });
  const { stream } = chat;
  if (stream === undefined || body.stream !== true) return chat;
  return {
    ...chat,
    body: { ...chat.body, return_progress: true },
    stream: () => new PromptCount(stream()),
  };
}

/** Counts the tokens of the chat that the same request becomes as a message. */
function countTokens(request: unknown): Translation {
  const { stream: _, return_progress: _p, ...body } = messages(request).body;
  return { path: COUNT_PATH, body, answer: countOf };
}

const Count = z.object({ input_tokens: z.number() });

function countOf(json: unknown): object {
  const count = Count.safeParse(json);
  if (!count.success) throw unreadableAnswer("it has no `input_tokens`", count.error);
  return count.data;
}

const Thinking = z.looseObject({
  thinking: z.looseObject({ type: z.literal("enabled"), budget_tokens: z.number() }),
});

/** Adds the budget for thinking, which llama.cpp reads and OpenAI's API does not have. */
function engineBody(request: unknown, chat: Record<string, unknown>): Record<string, unknown> {
  const body = engineChat(chat);
  const budget = Thinking.safeParse(request).data?.thinking.budget_tokens;
  return budget === undefined ? body : { thinking_budget_tokens: budget, ...body };
}
