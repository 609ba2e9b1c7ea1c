import type { ChatRequest } from "../../../wire/chat.ts";
import type {
  GoogleFunction,
  GoogleGeneration,
  GoogleRequest,
  GoogleThinking,
} from "../../../wire/google.ts";
import { unsupportedByGoogle } from "./contentparts.ts";
import { hasThinkingLevels } from "./thoughtsignature.ts";

/** How to generate, or undefined where nothing is said of it. `model` is Google's name of it. */
export function googleGenerationConfig(
  request: ChatRequest,
  model: string,
): GoogleGeneration | undefined {
  const { stop, response_format: format, reasoning_effort: effort } = request;
  const given: { [K in keyof GoogleGeneration]: GoogleGeneration[K] | null | undefined } = {
    maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: topK(request.top_k),
    stopSequences: typeof stop === "string" ? [stop] : stop,
    seed: request.seed,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    candidateCount: request.n,
    responseMimeType: format && format.type !== "text" ? "application/json" : undefined,
    responseJsonSchema:
      format?.type === "json_schema" ? schemaOf(format.json_schema.schema) : undefined,
    responseLogprobs: request.logprobs,
    logprobs: request.logprobs ? request.top_logprobs : undefined,
    thinkingConfig: typeof effort === "string" ? thinkingOf(effort, model) : undefined,
  };
  const entries = Object.entries(given).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Not OpenAI's, but of vLLM, llama-server and others. */
function topK(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}

/** The functions and how they may be called; nothing where there are none. */
export function googleToolsFromChat(
  request: ChatRequest,
): Pick<GoogleRequest, "tools" | "toolConfig"> {
  const { tools, tool_choice: choice } = request;
  if (!tools || tools.length === 0) return {};
  const functionDeclarations = tools.map(({ function: { name, description, parameters } }) => {
    const declared: GoogleFunction = { name };
    if (description !== undefined) declared.description = description;
    if (parameters !== undefined) declared.parametersJsonSchema = schemaOf(parameters) ?? {};
    return declared;
  });
  const declared = { tools: [{ functionDeclarations }] };
  if (!choice) return declared;
  if (typeof choice === "string") {
    return { ...declared, toolConfig: { functionCallingConfig: { mode: MODES[choice] } } };
  }
  const { name } = choice.function;
  if (functionDeclarations.every((declaration) => declaration.name !== name)) {
    throw unsupportedByGoogle("tool_choice", `there is no tool named "${name}"`);
  }
  const functionCallingConfig = { mode: "ANY" as const, allowedFunctionNames: [name] };
  return { ...declared, toolConfig: { functionCallingConfig } };
}

const MODES = { none: "NONE", auto: "AUTO", required: "ANY" } as const;

/** Which dialect a schema is in is nothing that Google takes note of, or takes. */
function schemaOf(schema: Record<string, unknown> | undefined) {
  if (schema === undefined) return undefined;
  const { $schema: _, ...rest } = schema;
  return rest;
}

/**
 * How hard a model thinks, with the numbers of Google's own OpenAI-compatible API; thoughts are
 * wanted in the answer.
 * Source: https://ai.google.dev/gemini-api/docs/openai#thinking
 */
function thinkingOf(effort: string, model: string): GoogleThinking {
  const budget = BUDGETS.get(effort);
  if (budget === undefined) {
    throw unsupportedByGoogle(
      "reasoning_effort",
      `it must be one of ${[...BUDGETS.keys()].join(", ")}`,
    );
  }
  const isPro = /\bpro\b/.test(model);
  // Pro models cannot be kept from thinking.
  if (!hasThinkingLevels(model)) {
    const least = isPro ? 128 : 0;
    return { includeThoughts: budget > 0, thinkingBudget: Math.max(budget, least) };
  }
  const little = isPro ? "low" : "minimal";
  const thinkingLevel = LEVELS[effort as keyof typeof LEVELS] ?? little;
  return { includeThoughts: effort !== "none", thinkingLevel };
}

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

/** Throws `invalid_request` for a wish that changes answers and that Google has no word for. */
export function refuseUnsupportedFields(request: ChatRequest): void {
  for (const [field, isAsked, reason] of UNSAYABLE) {
    const value = request[field];
    if (value !== undefined && value !== null && isAsked(value))
      throw unsupportedByGoogle(field, reason);
  }
}

const always = () => true;

const UNSAYABLE: [string, (value: unknown) => boolean, string][] = [
  ["logit_bias", (value) => Object.keys(Object(value)).length > 0, "Google has nothing like it"],
  ["functions", always, "it is outdated: use tools"],
  ["function_call", always, "it is outdated: use tool_choice"],
  ["web_search_options", always, "searching the web is not passed on"],
  ["audio", always, "answers can only be text"],
  [
    "modalities",
    (value) => !Array.isArray(value) || value.some((item) => item !== "text"),
    "answers can only be text",
  ],
];
