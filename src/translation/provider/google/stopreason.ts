import type { GoogleCandidate } from "../../../wire/google.ts";
import { failedGoogleAnswer } from "./errors.ts";

const FINISH_REASONS = new Map([
  ["STOP", "stop"],
  ["MAX_TOKENS", "length"],
  ["SAFETY", "content_filter"],
  ["RECITATION", "content_filter"],
  ["LANGUAGE", "content_filter"],
  ["BLOCKLIST", "content_filter"],
  ["PROHIBITED_CONTENT", "content_filter"],
  ["SPII", "content_filter"],
  ["IMAGE_SAFETY", "content_filter"],
  ["IMAGE_PROHIBITED_CONTENT", "content_filter"],
  ["IMAGE_RECITATION", "content_filter"],
]);

/**
 * The model tried to call a tool and failed: there is no answer. As with arguments that are no
 * JSON, clients must not ask again by themselves, since each time a whole answer is made and paid.
 */
const FAILURE = /^(MALFORMED|UNEXPECTED|TOO_MANY|MISSING)_/;

/**
 * Maps why a candidate ended to the finish reason of a chat completion. Throws
 * `tool_call_failed` where the model failed.
 */
export function finishReasonFromGoogle(candidate: GoogleCandidate, hasCalls: boolean): string {
  const reason = candidate.finishReason ?? "STOP";
  if (FAILURE.test(reason)) {
    const detail = candidate.finishMessage ? `: ${candidate.finishMessage.slice(0, 500)}` : "";
    throw failedGoogleAnswer(reason + detail);
  }
  const finishReason = FINISH_REASONS.get(reason) ?? "stop";
  return finishReason === "stop" && hasCalls ? "tool_calls" : finishReason;
}
