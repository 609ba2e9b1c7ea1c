import type { ChatRequest } from "../../../wire/chat.ts";
import { compact, invalidField } from "../../validation.ts";
import { anthropicVersion } from "./modelversion.ts";

/** Tokens of an answer where the client sets no limit: Anthropic's API wants one. */
const MAX_TOKENS_DEFAULT = 1024;

/** Thinking tokens for an effort; `minimal` is Anthropic's `low`. */
const BUDGETS: Record<string, number> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_768,
};
/** Anthropic takes no smaller one. */
const BUDGET_MIN = 1024;

/** What a request says of lengths and of thinking, in Anthropic's words. */
export interface AnthropicThinking {
  max_tokens: number;
  thinking?: Record<string, unknown>;
  effort?: string;
}

/**
 * How long the answer may be and how hard the model thinks. Anthropic counts thoughts as part of
 * the answer, so without a limit of the client's there is room for them beside the default one.
 *
 * 1. A `thinking` object of Anthropic's own (`extra_body` of the SDKs) is handed on.
 * 2. No `reasoning_effort`: nothing is said, the model does as it does.
 * 3. `none`: thinking is disabled.
 * 4. Models up to Claude 4.5 want a budget of tokens, below the limit; where there is no room for
 *    one, or where the last call of a tool comes without its thoughts (Anthropic would refuse it),
 *    they do not think.
 * 5. Later ones, and names that tell no version, want an effort.
 * 6. Where a tool must be called, no model thinks: Anthropic would refuse it.
 *
 * Throws 400 for an effort that nobody knows.
 */
export function anthropicThinking(request: ChatRequest, hasBareCall: boolean): AnthropicThinking {
  const { reasoning_effort: effort, thinking: given } = request;
  const limit = request.max_completion_tokens ?? request.max_tokens ?? undefined;
  const own = typeof given === "object" && given !== null;
  if (own) {
    const budget = Reflect.get(given, "budget_tokens");
    const room = typeof budget === "number" ? budget : 0;
    const max_tokens = limit ?? MAX_TOKENS_DEFAULT + room;
    const word = Reflect.get(given, "type") === "adaptive" ? wordOf(effort) : undefined;
    return { max_tokens, thinking: { ...given }, ...compact({ effort: word }) };
  }
  if (effort == null) return { max_tokens: limit ?? MAX_TOKENS_DEFAULT };
  if (effort === "none") {
    return { max_tokens: limit ?? MAX_TOKENS_DEFAULT, thinking: { type: "disabled" } };
  }
  const wanted = BUDGETS[effort];
  if (wanted === undefined) {
    const known = ["none", ...Object.keys(BUDGETS)].join(", ");
    throw invalidField("reasoning_effort", `is ${JSON.stringify(effort)}: use one of ${known}`);
  }
  const max_tokens = limit ?? MAX_TOKENS_DEFAULT + wanted;
  if (!wantsBudget(request.model)) {
    const thinking = forcesTool(request) ? undefined : { type: "adaptive" };
    return { max_tokens, ...compact({ thinking, effort: wordOf(effort) }) };
  }
  const budget = Math.min(wanted, max_tokens - 1);
  if (budget < BUDGET_MIN || hasBareCall || forcesTool(request)) return { max_tokens };
  return { max_tokens, thinking: { type: "enabled", budget_tokens: budget } };
}

function wordOf(effort: string | null | undefined): string | undefined {
  return effort === "minimal" ? "low" : (effort ?? undefined);
}

/** The last version whose models take thinking only as a number of tokens: Claude 4.5. */
const BUDGET_VERSION_MAX = 4.05;

function wantsBudget(model: string): boolean {
  const version = anthropicVersion(model);
  return version !== undefined && version <= BUDGET_VERSION_MAX;
}

/** Whether a tool has to be called: Anthropic's models cannot think before that. */
function forcesTool({ tools, tool_choice: choice }: ChatRequest): boolean {
  if (tools == null || tools.length === 0) return false;
  return choice === "required" || typeof Object(choice).function === "object";
}
