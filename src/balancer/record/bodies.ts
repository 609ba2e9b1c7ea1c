import type { HistoryBodies } from "../../config/settings.ts";
import { Redactor, redact } from "../../lib/redact.ts";
import { mask } from "./mask.ts";
import type { Sample } from "./sample.ts";

/** Most that is kept of one body. */
export const BODY_BYTES_MAX = 64 * 1024;

/** So much is looked at before others get their turn: about a tenth of a millisecond. */
const SLICE_BYTES = 64 * 1024;

/** A whole body as the history keeps it. `turn` is waited for between its slices. */
export async function keepWhole(
  body: Uint8Array,
  policy: HistoryBodies,
  turn: () => Promise<void>,
): Promise<string | null> {
  if (policy === "none") return null;
  const redactor = new Redactor({ bytesMax: BODY_BYTES_MAX });
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    if (at > 0) await turn();
    redactor.push(body.subarray(at, at + SLICE_BYTES));
  }
  return worded(redactor.end(), policy);
}

/** The same at once, for bodies of at most 64 KiB. */
export function keepSmall(body: Buffer, policy: HistoryBodies): string | null {
  if (policy === "none") return null;
  const text = body.toString("utf8");
  const redacted = mayHoldAttachment(body, text)
    ? redact(body, { bytesMax: BODY_BYTES_MAX })
    : text;
  return worded(redacted, policy);
}

/** An answer of which only the beginning was kept. Null if there was none. */
export function keepAnswer({ head, bytes }: Sample, policy: HistoryBodies): string | null {
  if (bytes === 0) return null;
  const text = keepSmall(head, policy);
  return text === null || bytes === head.length ? text : `${text}… [cut: ${bytes} bytes in all]`;
}

function worded(text: string, policy: HistoryBodies): string {
  return policy === "full" ? text : mask(text);
}

/** A run of base64 characters of this length is an attachment without a head. */
const RUN_BYTES = 512;

const BASE64 = new Uint8Array(256);
for (const char of Buffer.from(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=",
)) {
  BASE64[char] = 1;
}

/** Never wrong when false, and much quicker than looking at every byte twice. */
function mayHoldAttachment(body: Uint8Array, text: string): boolean {
  if (/data:[\w;,]/i.test(text)) return true;
  // A run covers a multiple of its length: only around those it is looked for.
  for (let at = RUN_BYTES; at < body.length; at += RUN_BYTES) {
    let [from, to] = [at, at];
    while (from > 0 && BASE64[body[from - 1] ?? 0] === 1) from -= 1;
    while (to < body.length && BASE64[body[to] ?? 0] === 1) to += 1;
    if (to - from >= RUN_BYTES) return true;
  }
  return false;
}
