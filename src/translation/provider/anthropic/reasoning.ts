import type { ChatRequest } from "../../../wire/chat.ts";
import { compact } from "../../compact.ts";
import { invalidField } from "../../errors.ts";
import { anthropicVersion } from "./modelversion.ts";

/** The tokens of an answer where the client sets no limit: Anthropic's API requires one. */
const MAX_TOKENS_DEFAULT = 1024;

/** The thinking budget, in tokens, for each `reasoning_effort`. */
const BUDGETS: Record<string, number> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_768,
};
/** The smallest budget that Anthropic takes, in tokens. */
const BUDGET_MIN = 1024;

/** Anthropic's fields for the length of the answer and for thinking. */
interface AnthropicThinking {
  max_tokens: number;
  thinking?: Record<string, unknown>;
  effort?: string;
}

/**
 * Maps `reasoning_effort` and the token limit of a chat to Anthropic's fields. Anthropic counts
 * thinking as part of the answer, so the default limit is raised by the budget.
 *
 * 1. A `thinking` object of Anthropic's own (`extra_body` of the SDKs) is passed on.
 * 2. Without `reasoning_effort` nothing is sent: the model decides.
 * 3. `none` disables thinking.
 * 4. Models up to Claude 4.5 get a budget of tokens below the limit. They do not think if there is
 *    no room for a budget, or if the last tool call comes without its thinking: Anthropic would
 *    refuse that.
 * 5. Later models, and names without a version, get an effort.
 * 6. No model thinks where a tool must be called: Anthropic would refuse that.
 *
 * Throws `invalid_request` for an unknown effort.
 */
export function anthropicThinking(
  request: ChatRequest,
  hasCallWithoutThinking: boolean,
): AnthropicThinking {
  const { reasoning_effort: effort, thinking } = request;
  const limit = request.max_completion_tokens ?? request.max_tokens ?? undefined;
  if (typeof thinking === "object" && thinking !== null) {
    const budget = Reflect.get(thinking, "budget_tokens");
    const max_tokens = limit ?? MAX_TOKENS_DEFAULT + (typeof budget === "number" ? budget : 0);
    const isAdaptive = Reflect.get(thinking, "type") === "adaptive";
    const ownEffort = isAdaptive ? anthropicEffort(effort) : undefined;
    return { max_tokens, thinking: { ...thinking }, ...compact({ effort: ownEffort }) };
  }
  if (effort == null) return { max_tokens: limit ?? MAX_TOKENS_DEFAULT };
  if (effort === "none") {
    return { max_tokens: limit ?? MAX_TOKENS_DEFAULT, thinking: { type: "disabled" } };
  }
  const usualBudget = BUDGETS[effort];
  if (usualBudget === undefined) {
    const efforts = ["none", ...Object.keys(BUDGETS)].join(", ");
    throw invalidField("reasoning_effort", `is ${JSON.stringify(effort)}: use one of ${efforts}`);
  }
  const max_tokens = limit ?? MAX_TOKENS_DEFAULT + usualBudget;
  if (!needsBudget(request.model)) {
    const thinking = mustCallTool(request) ? undefined : { type: "adaptive" };
    return { max_tokens, ...compact({ thinking, effort: anthropicEffort(effort) }) };
  }
  const budget = Math.min(usualBudget, max_tokens - 1);
  if (budget < BUDGET_MIN || hasCallWithoutThinking || mustCallTool(request)) return { max_tokens };
  return { max_tokens, thinking: { type: "enabled", budget_tokens: budget } };
}

/** Anthropic's effort for a `reasoning_effort`: `minimal` is its `low`. */
function anthropicEffort(effort: string | null | undefined): string | undefined {
  return effort === "minimal" ? "low" : (effort ?? undefined);
}

/** The last version whose models take thinking only as a budget of tokens: Claude 4.5. */
const BUDGET_VERSION_MAX = 4.05;

function needsBudget(model: string): boolean {
  const version = anthropicVersion(model);
  return version !== undefined && version <= BUDGET_VERSION_MAX;
}

/** Whether a tool has to be called: Anthropic's models cannot think before that. */
function mustCallTool({ tools, tool_choice: choice }: ChatRequest): boolean {
  if (tools == null || tools.length === 0) return false;
  return choice === "required" || typeof Object(choice).function === "object";
}
