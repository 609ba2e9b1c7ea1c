import type { HistoryBodies } from "../../config/fields/storage.ts";
import { Redactor, redact } from "../../lib/redact.ts";
import type { AnswerSample } from "./answersample.ts";
import { mask } from "./mask.ts";
import { maskError } from "./maskerror.ts";

/** Most that is kept of one body. */
export const BODY_BYTES_MAX = 64 * 1024;

/** Bytes that are redacted at once, which takes about a tenth of a millisecond. */
const SLICE_BYTES = 64 * 1024;

/**
 * A large body as the history keeps it: without attachments, its texts masked if the policy says
 * so; null if it is not kept. Awaits `nextTurn` between slices.
 */
export async function redactLargeBody(
  body: Uint8Array,
  policy: HistoryBodies,
  nextTurn: () => Promise<void>,
): Promise<string | null> {
  if (policy === "none") return null;
  const redactor = new Redactor({ bytesMax: BODY_BYTES_MAX });
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    if (at > 0) await nextTurn();
    redactor.push(body.subarray(at, at + SLICE_BYTES));
  }
  return applyPolicy(redactor.end(), policy);
}

/** The same without waiting, for bodies of at most 64 KiB. */
export function redactSmallBody(body: Buffer, policy: HistoryBodies): string | null {
  if (policy === "none") return null;
  const text = body.toString("utf8");
  const redacted = mayHoldAttachment(body, text)
    ? redact(body, { bytesMax: BODY_BYTES_MAX })
    : text;
  return applyPolicy(redacted, policy);
}

/**
 * The beginning of an answer, as the history keeps it; null without an answer. Of an error
 * (`status`) the message is kept where texts are masked.
 */
export function redactAnswer(
  { head, bytes }: AnswerSample,
  policy: HistoryBodies,
  status: number | null = null,
): string | null {
  if (bytes === 0) return null;
  const isError = policy === "redacted" && (status ?? 0) >= 400;
  const kept = redactSmallBody(head, isError ? "full" : policy);
  const text = isError && kept !== null ? maskError(kept) : kept;
  return text === null || bytes === head.length ? text : `${text}… [cut: ${bytes} bytes in all]`;
}

function applyPolicy(text: string, policy: HistoryBodies): string {
  return policy === "full" ? text : mask(text);
}

/** A run of base64 characters of this length is an attachment without `data:`. */
const RUN_BYTES = 512;

const BASE64 = new Uint8Array(256);
for (const char of Buffer.from(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=",
)) {
  BASE64[char] = 1;
}

/** False only if there is certainly no attachment. Faster than the redaction itself. */
function mayHoldAttachment(body: Uint8Array, text: string): boolean {
  if (/data:[\w;,]/i.test(text)) return true;
  // Each run covers a multiple of `RUN_BYTES`, so only the bytes around those are read.
  for (let at = RUN_BYTES; at < body.length; at += RUN_BYTES) {
    let [from, to] = [at, at];
    while (from > 0 && BASE64[body[from - 1] ?? 0] === 1) from -= 1;
    while (to < body.length && BASE64[body[to] ?? 0] === 1) to += 1;
    if (to - from >= RUN_BYTES) return true;
  }
  return false;
}
