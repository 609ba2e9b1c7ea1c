import { type BrokenStream, type ContinuationWay, hasEnded } from "./decision.ts";
import { isFields } from "./transcript.ts";

export interface ContinuedRequest {
  body: Record<string, unknown>;
  /** All tokens that the request allows were said: one more is asked for, and not used. */
  isSpent: boolean;
}

/** What an upstream is told of the answer so far. */
export interface ToldAnswer {
  text: string;
  reasoning: string;
}

export interface RequestOptions {
  stream: BrokenStream;
  way: ContinuationWay;
  /** The upstream's own name for the model. */
  model: string;
  /** It may be another balancer, whose endpoints need not be able to: it is told (`CONTINUES`). */
  isLlmlb: boolean;
  /** Tokens of the answer so far. */
  usedTokens: number;
  told: ToldAnswer;
  /** Text at the beginning of the answer that stands in the request and was not repeated. */
  prefill: string;
}

/** The field by which a balancer tells another one that the request goes on with an answer. */
export const CONTINUES = "llmlb_continues";

/** Fields that limit the tokens of an answer; below 1 they mean no limit. */
const LIMITS = ["max_tokens", "max_completion_tokens", "n_predict"];

/** The request by which an upstream goes on with a stream, as if it had said the text so far. */
export function continuedRequest(options: RequestOptions): ContinuedRequest {
  const { stream, way, model, usedTokens, prefill, told } = options;
  const body: Record<string, unknown> = { ...stream.body, model, stream: true };
  const text = prefill + told.text;
  const isEnded = hasEnded(stream);
  if (way === "again") return { body, isSpent: false };
  if (way === "anew") return { body: isEnded ? ofOneToken(body) : body, isSpent: false };
  if (way === "prompt") body.prompt = `${String(stream.body.prompt)}${text}`;
  else Object.assign(body, chatFields(stream, { way, text, reasoning: told.reasoning }));
  if (options.isLlmlb && way === "final_message") body[CONTINUES] = true;
  if (isEnded) return { body: ofOneToken(body), isSpent: false };
  let isSpent = false;
  for (const name of LIMITS) {
    const limit = body[name];
    if (typeof limit !== "number" || limit < 1) continue;
    isSpent ||= limit <= usedTokens;
    body[name] = Math.max(1, limit - usedTokens);
  }
  const { thinking_budget_tokens: budget, min_tokens: least } = body;
  if (typeof budget === "number" && budget >= 1) {
    body.thinking_budget_tokens = Math.max(0, budget - usedTokens);
  }
  if (typeof least === "number") body.min_tokens = Math.max(0, least - usedTokens);
  return { body, isSpent };
}

/** The same request for a single token, in the field in which it has its limit. */
function ofOneToken(body: Record<string, unknown>): Record<string, unknown> {
  const names = LIMITS.filter((name) => body[name] !== undefined);
  const fields = (names.length === 0 ? ["max_tokens"] : names).map((name) => [name, 1]);
  return { ...body, ...Object.fromEntries(fields) };
}

interface Answer extends ToldAnswer {
  way: ContinuationWay;
}

function chatFields({ body }: BrokenStream, { way, text, reasoning }: Answer): object {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const own = lastMessageText(body) === undefined ? messages : messages.slice(0, -1);
  const thoughts = reasoning === "" ? {} : { reasoning_content: reasoning };
  const answer = { role: "assistant", content: text, ...thoughts };
  const continues =
    way === "final_message" ? { continue_final_message: true, add_generation_prompt: false } : {};
  return { messages: [...own, answer], ...continues };
}

/**
 * The text with which a request's answer is to begin: that of its last message, if that is an
 * assistant's. Undefined if it has none.
 */
export function lastMessageText(body: Record<string, unknown>): string | undefined {
  const last: unknown = Array.isArray(body.messages) ? body.messages.at(-1) : undefined;
  if (!isFields(last) || last.role !== "assistant") return undefined;
  const { content } = last;
  if (Array.isArray(content)) {
    return content
      .map((part) => (isFields(part) && part.type === "text" ? part.text : ""))
      .join("");
  }
  return typeof content === "string" ? content : "";
}
