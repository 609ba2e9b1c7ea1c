import { z } from "zod";
import type { Dialect } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";
import type { Malformed } from "./requests.ts";

/** Longest wait for the answer to a malformed request: no model has to run for it. */
export const ANSWER_MS_MAX = 10_000;

const OpenAiError = z.strictObject({
  error: z.strictObject({
    message: z.string().min(1),
    type: z.string().min(1),
    code: z.string().min(1).nullable(),
    param: z.string().min(1).nullable(),
  }),
});

const AnthropicError = z.strictObject({
  type: z.literal("error"),
  error: z.strictObject({ type: z.string().min(1), message: z.string().min(1) }),
  request_id: z.string().optional(),
});

const OllamaError = z.strictObject({ error: z.string().min(1) });

/** What an error looks like in each dialect. */
export const SHAPES: Record<Dialect, z.ZodType> = {
  openai: OpenAiError,
  responses: OpenAiError,
  anthropic: AnthropicError,
  ollama: OllamaError,
};

/** What is wrong with the answer to a malformed request; undefined if nothing is. */
export async function faultOf(
  url: string,
  { path, status, what: _, ...init }: Malformed,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await fetch(url + path, { method: "POST", ...init, signal });
  const text = await response.text();
  const right =
    status === undefined
      ? response.status >= 400 && response.status < 500
      : response.status === status;
  if (!right) return `status ${response.status}: ${text.slice(0, 200)}`;
  if (!response.headers.get("x-request-id")) return "no x-request-id";
  if (response.status === 405 && !response.headers.get("allow")) return "no Allow";
  const shape = SHAPES[dialectOf(path)];
  return shape.safeParse(parse(text)).success ? undefined : `shape: ${text.slice(0, 200)}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON has no shape
  }
}
