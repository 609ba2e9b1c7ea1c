import type { GoogleThinking } from "../../../wire/google.ts";
import { unsupportedByGoogle } from "./errors.ts";

/**
 * Google's thinking config for a `reasoning_effort`, with the budgets of Google's own
 * OpenAI-compatible API; the answer shall include the thinking. Throws `invalid_request` for an
 * unknown effort. Source: https://ai.google.dev/gemini-api/docs/openai#thinking
 */
export function googleThinking(effort: string, model: string): GoogleThinking {
  const budget = BUDGETS.get(effort);
  if (budget === undefined) {
    const efforts = [...BUDGETS.keys()].join(", ");
    throw unsupportedByGoogle("reasoning_effort", `it must be one of ${efforts}`);
  }
  const isPro = /\bpro\b/.test(model);
  // Pro models always think.
  if (!hasThinkingLevels(model)) {
    const budgetMin = isPro ? 128 : 0;
    return { includeThoughts: budget > 0, thinkingBudget: Math.max(budget, budgetMin) };
  }
  const lowest = isPro ? "low" : "minimal";
  const thinkingLevel = LEVELS[effort as keyof typeof LEVELS] ?? lowest;
  return { includeThoughts: effort !== "none", thinkingLevel };
}

/** Whether a model is of Gemini 3 or later: thinking has levels, and calls must be signed. */
export function hasThinkingLevels(model: string): boolean {
  return /^gemini-(?:[3-9]|\d{2,})(?![\d])/.test(model);
}

/** The thinking budget, in tokens, for each effort. */
const BUDGETS = new Map([
  ["none", 0],
  ["minimal", 1024],
  ["low", 1024],
  ["medium", 8192],
  ["high", 24_576],
  ["xhigh", 24_576],
  ["max", 24_576],
]);

const LEVELS = { low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" } as const;
