import type { TokenSource } from "../../db/history/records.ts";
import { asBuffer } from "../../lib/buffer.ts";
import { estimateAnswerTokens, estimatePromptTokens } from "./estimate.ts";
import type { RequestRecord } from "./record.ts";
import { isEventStream, readUsage, type TokenUsage } from "./usage.ts";

/** The token counts of a request, and whether the answer had them or they are estimates. */
export interface TokenCount {
  usage: TokenUsage | undefined;
  /** Null without counts. */
  source: TokenSource | null;
}

const NO_COUNT: TokenCount = { usage: undefined, source: null };

/**
 * The token counts of a request that ended: those in the answer; counts that are missing are
 * estimated from the bytes (`estimate.ts`), unless the answer is an error.
 */
export function countTokens(record: RequestRecord): TokenCount {
  const { request, body, answer, status, attempts } = record;
  const { output: outputKind } = request.route;
  if (attempts === 0) return NO_COUNT;
  const counted = readUsage(answer);
  const output = counted?.output ?? (outputKind === "numbers" ? 0 : null);
  if (counted !== undefined && counted.input !== null && output !== null && !wasCut(record)) {
    return { usage: { ...counted, output }, source: "usage" };
  }
  // The length of sound and images says nothing about tokens.
  if (outputKind === "other")
    return counted === undefined ? NO_COUNT : { usage: counted, source: "usage" };
  if (status === null || status >= 400 || answer.bytes === 0) return NO_COUNT;
  const input = counted?.input ?? estimatePromptTokens(asBuffer(body));
  const estimated = outputKind === "text" ? Math.max(output ?? 0, estimateAnswerTokens(answer)) : 0;
  const cached = counted?.cached ?? null;
  return { usage: { input, output: estimated, cached }, source: "estimate" };
}

/** Whether a stream broke off: the output count at its beginning is too small then. */
function wasCut({ outcome, answer }: RequestRecord): boolean {
  return outcome !== "complete" && isEventStream(answer.head);
}
