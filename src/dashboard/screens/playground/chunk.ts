import { z } from "zod";
import type { Call, Step, Timings } from "./conversation.ts";

const text = z.string().nullish().catch(undefined);

const CallDelta = z.object({
  index: z.number().optional().catch(undefined),
  id: text,
  function: z.object({ name: text, arguments: text }).optional().catch(undefined),
});

const Delta = z.object({
  content: text,
  reasoning_content: text,
  reasoning: text,
  refusal: text,
  tool_calls: z.array(CallDelta).nullish().catch(undefined),
});
type Delta = z.infer<typeof Delta>;

const Choice = z.object({
  delta: Delta.optional(),
  /** Of an answer in one piece. */
  message: Delta.optional(),
  finish_reason: text,
});

const number = z.number().nullish().catch(undefined);

/** What of a chunk of a stream, or of an answer in one piece, is shown. */
const ChatEvent = z.object({
  choices: z.array(Choice).nullish().catch(undefined),
  usage: z
    .object({
      prompt_tokens: number,
      completion_tokens: number,
      prompt_tokens_details: z.object({ cached_tokens: number }).nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
  error: z.object({ message: z.string() }).nullish().catch(undefined),
});
export type ChatEvent = z.infer<typeof ChatEvent>;

/** Characters of an event that is none which its error shows. */
const SHOWN_MAX = 200;

/** Reads an event's text. Throws with the text, shortened, if it is none of a chat. */
export function eventOf(text: string): ChatEvent {
  try {
    return ChatEvent.parse(JSON.parse(text));
  } catch (cause) {
    const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
    throw new Error(`What came is no event of a chat: ${shown}`, { cause });
  }
}

export type TokenCounts = Pick<Timings, "inputTokens" | "outputTokens" | "cachedTokens">;

/** An answer as far as it has come, and what was counted. */
export interface Answer {
  step: Step;
  counts: TokenCounts;
}

export const NO_ANSWER: Answer = {
  step: { content: "", thinking: "", calls: [] },
  counts: { inputTokens: null, outputTokens: null, cachedTokens: null },
};

/** An answer with what a chunk adds to it. */
export function withChunk({ step, counts }: Answer, { choices, usage }: ChatEvent): Answer {
  const choice = choices?.[0];
  const { content, reasoning_content, reasoning, refusal, tool_calls } =
    choice?.delta ?? choice?.message ?? ({} as Partial<Delta>);
  const finish = choice?.finish_reason ?? step.finish;
  return {
    step: {
      content: step.content + (content ?? refusal ?? ""),
      thinking: step.thinking + (reasoning_content ?? reasoning ?? ""),
      calls: (tool_calls ?? []).reduce(withCall, step.calls),
      ...(finish === undefined ? {} : { finish }),
    },
    counts: {
      inputTokens: usage?.prompt_tokens ?? counts.inputTokens,
      outputTokens: usage?.completion_tokens ?? counts.outputTokens,
      cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? counts.cachedTokens,
    },
  };
}

const CALLS_MAX = 100;

/** Pieces of a call have its index; some servers give whole calls without one. */
function withCall(calls: Call[], delta: z.infer<typeof CallDelta>): Call[] {
  const { id, function: named } = delta;
  const known = calls.findIndex((call) => call.id === id);
  const at = delta.index ?? (known === -1 ? calls.length : known);
  const call = calls[at];
  if (call === undefined) {
    if (calls.length >= CALLS_MAX) return calls;
    const own = id === undefined || id === null || id === "" ? `call_${calls.length}` : id;
    const { name, arguments: args } = named ?? {};
    return [...calls, { id: own, name: name ?? "", arguments: args ?? "", result: null }];
  }
  return calls.with(at, {
    ...call,
    name: call.name + (named?.name ?? ""),
    arguments: call.arguments + (named?.arguments ?? ""),
  });
}
