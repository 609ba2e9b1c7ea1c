import type { HistoryBodies } from "../../config/fields/storage.ts";
import type { NewRequestRow } from "../../db/history/records.ts";
import { asBuffer } from "../../lib/buffer.ts";
import { BODY_BYTES_MAX, redactAnswer, redactSmallBody } from "./historybody.ts";
import type { RequestRecord } from "./record.ts";
import type { TokenCount } from "./tokencount.ts";

/** A request that ended. */
export interface FinishedRequest {
  record: RequestRecord;
  /** The body as the history keeps it, if it was a large one that is redacted already. */
  requestBody: string | null;
  /** How the history keeps bodies. */
  bodies: HistoryBodies;
}

const NAME_CHARS_MAX = 256;

/** The row of the history for a request that ended. */
export function historyRow(
  { record, requestBody, bodies }: FinishedRequest,
  tokens: TokenCount,
  isModelKnown: boolean,
): NewRequestRow {
  const { request, upstream, answer, body } = record;
  const { route, modelId, streams, principal } = request;
  const { usage } = tokens;
  return {
    requestId: request.requestId,
    requestType: route.name,
    model: modelId.slice(0, NAME_CHARS_MAX),
    modelKnown: isModelKnown,
    endpointId: upstream?.id ?? null,
    endpointName: upstream?.name ?? null,
    endpointUrl: upstream?.url ?? null,
    apiKeyId: principal.keyId ?? null,
    clientIp: principal.address ?? null,
    startedAt: record.startedAt,
    completedAt: Math.round(record.startedAt + record.durationMs),
    streamed: streams,
    retries: Math.max(0, record.attempts - 1),
    succeeded: isSuccess(record),
    httpStatus: record.status,
    error: errorOf(record),
    queueMs: rounded(record.queueMs),
    firstByteMs: rounded(record.firstByteMs),
    durationMs: rounded(record.durationMs) ?? 0,
    inputTokens: usage?.input ?? null,
    outputTokens: usage?.output ?? null,
    cachedTokens: usage?.cached ?? null,
    tokenSource: tokens.source,
    requestBody: requestBody ?? redactSmallOnly(body, bodies),
    responseBody: redactAnswer(answer, bodies),
  };
}

/** Whether the whole answer of an upstream was sent, and was no error. */
function isSuccess({ outcome, status, error }: RequestRecord): boolean {
  return outcome === "complete" && status !== null && status < 400 && error === null;
}

function errorOf({ outcome, status, error }: RequestRecord): string | null {
  if (error !== null || outcome !== "complete") return error;
  return status !== null && status >= 400 ? "endpoint_error" : null;
}

/** Null for a large body: it was redacted before, or it is not kept. */
function redactSmallOnly(body: Uint8Array, bodies: HistoryBodies): string | null {
  if (body.length > BODY_BYTES_MAX) return null;
  return redactSmallBody(asBuffer(body), bodies);
}

/** Rounded to microseconds: further digits are noise, and take space. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}
