import { OWN_TELEMETRY_NAME, operationOf } from "../record/genai.ts";
import type { RecordedRequest } from "../record/record.ts";
import type { TokenUsage } from "../record/usage.ts";
import type { RequestTrace, TracedWait } from "./trace.ts";
import type { TracedAttempt } from "./tracedslot.ts";
import { newSpanId } from "./traceparent.ts";

type Attributes = Record<string, string | number | boolean>;

/** A span that has ended, as the exporter takes it. Times are unix ms. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: "server" | "client" | "internal";
  readonly spanId: string;
  /** Undefined for the first one of its trace. */
  readonly parentId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly { name: string; atMs: number }[];
  readonly isError: boolean;
}

/** A request that has ended. Times are those of `performance.now()`. */
export interface TracedRequest {
  trace: RequestTrace;
  request: Pick<RecordedRequest, "requestId" | "route" | "modelId" | "streams">;
  endMs: number;
  firstTokenMs: number | undefined;
  /** What the client got; null if it left before. */
  status: number | null;
  /** How it failed; undefined if it did not. */
  errorType: string | undefined;
  /** The answer broke off. */
  isBroken: boolean;
  /** Counted by the upstream; undefined for none. */
  usage: TokenUsage | undefined;
}

/** Longest name that is told: clients choose those of models. */
const NAME_CHARS_MAX = 256;

/**
 * The spans of a request, after OpenTelemetry's conventions for HTTP and for generative AI: its own
 * one, and below that one for each wait and for each attempt. Neither what was said nor a key is in
 * them; an error's message is not, either, because it may hold both.
 */
export function spansOf(traced: TracedRequest): EndedSpan[] {
  const { trace } = traced;
  return [
    requestSpan(traced),
    ...trace.waits.map((wait) => waitSpan(traced, wait)),
    ...trace.attempts.map((attempt, place) => attemptSpan(traced, attempt, place)),
  ];
}

function requestSpan(traced: TracedRequest): EndedSpan {
  const { trace, request, endMs, firstTokenMs, status, errorType, usage } = traced;
  const last = trace.attempts.at(-1);
  const attributes: Attributes = {
    "http.request.method": "POST",
    "http.route": request.route.path,
    "url.path": request.route.path,
    "url.scheme": trace.scheme,
    "llmlb.request.id": request.requestId,
    ...genAiOf(traced, last),
  };
  put(attributes, "http.response.status_code", status);
  put(attributes, "error.type", errorType);
  put(attributes, "llmlb.endpoint.name", last?.upstream.name);
  put(attributes, "gen_ai.response.model", last && shortened(last.model));
  put(attributes, "gen_ai.usage.input_tokens", usage?.input);
  put(attributes, "gen_ai.usage.output_tokens", usage?.output);
  put(attributes, "gen_ai.usage.cache_read.input_tokens", usage?.cached);
  const events = [];
  if (firstTokenMs !== undefined) {
    attributes["gen_ai.response.time_to_first_chunk"] = (firstTokenMs - trace.startMs) / 1000;
    events.push({ name: "gen_ai.first_token", atMs: firstTokenMs + trace.offsetMs });
  }
  return {
    name: `POST ${request.route.path}`,
    kind: "server",
    spanId: trace.spanId,
    parentId: trace.parent?.spanId,
    ...times(trace, trace.startMs, endMs),
    attributes,
    events,
    // What a client did wrong is no error of the server (conventions for HTTP).
    isError: traced.isBroken || (status !== null && status >= 500),
  };
}

function waitSpan({ trace }: TracedRequest, wait: TracedWait): EndedSpan {
  return {
    name: "queue",
    kind: "internal",
    spanId: newSpanId(),
    parentId: trace.spanId,
    ...times(trace, wait.startMs, wait.endMs),
    attributes: { "llmlb.queue.for": wait.for },
    events: [],
    isError: false,
  };
}

function attemptSpan(traced: TracedRequest, attempt: TracedAttempt, place: number): EndedSpan {
  const { trace, request } = traced;
  const { upstream, model, status, endMs = traced.endMs } = attempt;
  const attributes: Attributes = {
    "http.request.method": "POST",
    "llmlb.endpoint.name": upstream.name,
    ...genAiOf(traced, attempt),
    "gen_ai.request.model": shortened(model),
  };
  const url = URL.parse(upstream.url);
  put(attributes, "server.address", url?.hostname);
  put(attributes, "server.port", url === null ? undefined : portOf(url));
  put(attributes, "http.response.status_code", status);
  const error = errorOf(attempt);
  put(attributes, "error.type", error);
  if (place > 0) {
    const before = trace.attempts[place - 1];
    attributes["http.request.resend_count"] = place;
    put(attributes, "llmlb.retry.reason", before && errorOf(before));
  }
  return {
    name: `${operationOf(request.route)} ${shortened(model)}`,
    kind: "client",
    spanId: attempt.spanId,
    parentId: trace.spanId,
    ...times(trace, attempt.startMs, endMs),
    attributes,
    events: [],
    isError: error !== undefined,
  };
}

function genAiOf({ request }: TracedRequest, attempt: TracedAttempt | undefined): Attributes {
  return {
    "gen_ai.operation.name": operationOf(request.route),
    "gen_ai.provider.name": attempt?.upstream.telemetryName ?? OWN_TELEMETRY_NAME,
    "gen_ai.request.model": shortened(request.modelId),
    "gen_ai.request.stream": request.streams,
  };
}

function errorOf({ error, status = 0 }: TracedAttempt): string | undefined {
  return error ?? (status >= 400 ? String(status) : undefined);
}

function times({ offsetMs }: RequestTrace, startMs: number, endMs: number) {
  return { startMs: startMs + offsetMs, endMs: Math.max(startMs, endMs) + offsetMs };
}

function portOf({ port, protocol }: URL): number {
  return Number(port) || (protocol === "https:" ? 443 : 80);
}

function shortened(name: string): string {
  return name.slice(0, NAME_CHARS_MAX);
}

function put(to: Attributes, name: string, value: string | number | null | undefined): void {
  if (value !== null && value !== undefined) to[name] = value;
}
