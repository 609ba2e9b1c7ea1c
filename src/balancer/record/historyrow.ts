import type { HistoryBodies } from "../../config/fields/storage.ts";
import type { NewRequestRow, RequestAttempt } from "../../db/history/records.ts";
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
const CLIENT_CHARS_MAX = 40;

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
    apiKeyName: principal.key?.name ?? null,
    userId: principal.user?.id ?? null,
    userName: principal.user?.name ?? null,
    clientIp: principal.address ?? null,
    client: clientOf(request.headers?.get("user-agent")),
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
    attempts: attemptsOf(record, usage?.output ?? undefined),
    requestBody: requestBody ?? redactSmallOnly(body, bodies),
    responseBody: redactAnswer(answer, bodies, record.status),
  };
}

/**
 * The name of a program that calls itself so (`User-Agent`), without its version: `OpenAI/Python`
 * of `OpenAI/Python 2.1.0`, `curl` of `curl/8.5.0`. Null for one that does not say.
 */
function clientOf(userAgent: string | null | undefined): string | null {
  const name = /^[\w.-]+(?:\/[A-Za-z][\w.-]*(?=\s|$))?/.exec(userAgent ?? "")?.[0];
  return name?.slice(0, CLIENT_CHARS_MAX) ?? null;
}

/** All attempts, if there was more than one. */
function attemptsOf(record: RequestRecord, output: number | undefined): RequestAttempt[] | null {
  const { earlier, upstream, attemptMs, attemptError, hasGoneOn, brokenTokens } = record;
  if (earlier === undefined || upstream === undefined) return null;
  const { id, name } = upstream;
  const error = isSuccess(record) ? null : (attemptError ?? errorOf(record));
  const tokens = hasGoneOn && output !== undefined ? Math.max(0, output - brokenTokens) : undefined;
  const last = { id, name, startMs: attemptMs, error, ...(tokens === undefined ? {} : { tokens }) };
  const all = [...earlier, last];
  return all.map((one) => ({ ...one, startMs: rounded(one.startMs) ?? 0 }));
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
