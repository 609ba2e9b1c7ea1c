import type { EndpointStatus } from "../../wire/endpoint.ts";

/** Where token counts come from: the answer itself, the endpoint's tokenizer, or an estimate. */
export const TOKEN_SOURCES = ["usage", "tokenizer", "estimate"] as const;
export type TokenSource = (typeof TOKEN_SOURCES)[number];

/** The `error` of a request whose client left; it counts as a request, but not as a failure. */
const CLIENT_CLOSED = "client_closed";

/** One request that was answered, refused or aborted. Times are unix ms, durations ms. */
export interface RequestRow {
  id: string;
  /** The `x-request-id` of its response; clients may choose it, so it may occur twice. */
  requestId: string;
  /** `chat`, `generate`, `embeddings`, `responses`, `anthropic_messages` … */
  requestType: string;
  model: string;
  /** Null when no endpoint was reached; likewise its name and URL. */
  endpointId: string | null;
  endpointName: string | null;
  endpointUrl: string | null;
  apiKeyId: string | null;
  /** The key's owner, or whose session it is. */
  userId: string | null;
  clientIp: string | null;
  /** The program that sent it, as it calls itself, without its version. */
  client: string | null;
  startedAt: number;
  completedAt: number;
  streamed: boolean;
  /** How many endpoints were tried before the last one. */
  retries: number;
  succeeded: boolean;
  /** The status that the client got; null if it left before. */
  httpStatus: number | null;
  error: string | null;
  /** Waiting time in the queue. */
  queueMs: number | null;
  /** From the start to the first byte of the answer. */
  firstByteMs: number | null;
  durationMs: number;
  inputTokens: number | null;
  outputTokens: number | null;
  /** Input tokens that the endpoint had in its cache. */
  cachedTokens: number | null;
  tokenSource: TokenSource | null;
  /** Millionths of the currency of the prices; null if the model has no price. */
  costMicros: number | null;
}

/** One try at an upstream. */
export interface RequestAttempt {
  /** The upstream's id and name. */
  id: string;
  name: string;
  /** From the start of the request, in ms. */
  startMs: number;
  /** Why the next one was tried; null if it was the last one. */
  error: string | null;
  /** About how many tokens it gave of an answer that went on; absent: it was another one. */
  tokens?: number;
}

/** What a client sent and received, redacted and cut by the recorder. */
export interface RequestBodies {
  /** Null where the policy is not to keep it. */
  requestBody: string | null;
  responseBody: string | null;
}

/** What is shown of one request only. */
export interface RequestDetails extends RequestBodies {
  /** Null if there was one at most. */
  attempts: RequestAttempt[] | null;
}

/** A request to record. The default of a field that can be null is null. */
export type NewRequestRow = Pick<
  RequestRow,
  "requestId" | "requestType" | "model" | "startedAt" | "durationMs" | "succeeded"
> &
  Partial<RequestRow & RequestDetails> & {
    /** What its key and its user are called. */
    apiKeyName?: string | null;
    userName?: string | null;
    /** Whether such a model exists; else the statistics do not name it. Default: true. */
    modelKnown?: boolean;
  };

/** Whether a request failed. One whose client left neither succeeded nor failed. */
export function countsAsFailure({ succeeded, error }: NewRequestRow): boolean {
  return !succeeded && error !== CLIENT_CLOSED;
}

/** One health check of an endpoint. */
export interface CheckRecord {
  endpointId: string;
  /** Unix ms. */
  checkedAt: number;
  succeeded: boolean;
  latencyMs: number | null;
  error: string | null;
  statusBefore: EndpointStatus;
  statusAfter: EndpointStatus;
}

/** A response that whoever made it may keep. */
export interface MadeResponse {
  id: string;
  /** The endpoint or provider that made it. */
  upstreamId: string;
  /** Its model as the client calls it. */
  model: string;
  /** Unix ms. */
  madeAt: number;
}
