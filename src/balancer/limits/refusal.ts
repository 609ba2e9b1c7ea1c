import { ApiError } from "../../wire/error.ts";
import { limitText } from "../../wire/limits.ts";
import type { LimitRefusal, Remaining } from "./allowance.ts";

/** Longest `Retry-After` of a limit by the minute that clients still wait for by themselves. */
const RETRY_S_MAX = 120;

/** The error of a request beyond a limit: whose, which, and when it may be asked again. */
export function limitError(
  { limit, max, retryMs }: LimitRefusal,
  owner: string,
  headers: Record<string, string>,
  nowMs: number,
): ApiError {
  const retryAfterS = Math.max(1, Math.ceil(retryMs / 1000));
  const isQuota = /_per_(day|month)$/.test(limit);
  const when = isQuota
    ? `It begins anew at ${new Date(nowMs + retryMs).toISOString()}`
    : `Try again in ${retryAfterS} s`;
  const message = `The limit of ${owner} is used up: ${limitText(limit, max)}. ${when}.`;
  const code = isQuota ? "insufficient_quota" : "rate_limit_exceeded";
  const options = { code, retryAfterS, headers };
  return isQuota || retryAfterS > RETRY_S_MAX
    ? new ApiError("quota_exceeded", message, options)
    : new ApiError("rate_limited", message, options);
}

/** The headers by which OpenAI's clients read what is left of their limits. */
export function rateLimitHeaders(
  requests: Remaining | undefined,
  tokens: Remaining | undefined,
): Record<string, string> {
  return { ...headersOf("requests", requests), ...headersOf("tokens", tokens) };
}

function headersOf(what: string, remaining: Remaining | undefined): Record<string, string> {
  if (remaining === undefined) return {};
  return {
    [`x-ratelimit-limit-${what}`]: String(remaining.max),
    [`x-ratelimit-remaining-${what}`]: String(remaining.left),
    [`x-ratelimit-reset-${what}`]: durationText(remaining.resetMs),
  };
}

/** As OpenAI writes it: `20ms`, `1.5s`, `6m0s`. */
function durationText(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${ms / 1000}s`;
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
