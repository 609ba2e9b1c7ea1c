import {
  type Attributes,
  createTraceState,
  DiagLogLevel,
  diag,
  type HrTime,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace as traces,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { VERSION } from "../../config/version.ts";
import type { Logger } from "../../lib/log.ts";
import type { OtelSettings } from "./otelsettings.ts";
import type { EndedSpan } from "./spans.ts";
import type { RequestTrace } from "./trace.ts";
import type { RemoteSpan } from "./traceparent.ts";

/** Longest wait for the last spans when this process ends. */
const CLOSE_MS_MAX = 2000;
const LOG_EVERY_MS = 60_000;
/** Of a failure's text, which may have all of a collector's answer. */
const LOGGED_CHARS_MAX = 300;

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;
const SCOPE = { name: "llmlb", version: VERSION };
const NO_EVENT_ATTRIBUTES: Attributes = {};

/**
 * Sends spans to a collector by OTLP over HTTP, with OpenTelemetry's own exporter: in batches,
 * from a queue that drops what is too much, so that a collector which is slow or down costs nothing
 * but its spans. The exporter reads its own variables (`OTEL_EXPORTER_OTLP_…`).
 */
export class OtlpExporter {
  readonly #processor: BatchSpanProcessor;
  readonly #sampler: Sampler;
  readonly #resource: Resource;

  constructor({ sampler, ...queue }: OtelSettings, log: Logger) {
    logFailures(log);
    const ratio = new TraceIdRatioBasedSampler(sampler.ratio);
    const root = sampler.ratio === 1 ? new AlwaysOnSampler() : ratio;
    this.#sampler = sampler.isParentBased ? new ParentBasedSampler({ root }) : root;
    this.#resource = resourceFromAttributes({
      "service.name": "llmlb",
      "service.version": VERSION,
      "service.instance.id": crypto.randomUUID(),
    }).merge(
      detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }),
    );
    this.#processor = new BatchSpanProcessor({
      exporter: new OTLPTraceExporter(),
      maxQueueSize: queue.queueMax,
      maxExportBatchSize: queue.batchMax,
      scheduledDelayMillis: queue.batchDelayMs,
      exportTimeoutMillis: queue.exportTimeoutMs,
    });
  }

  /** Whether a trace is told. */
  isSampled(traceId: string, parent: RemoteSpan | undefined): boolean {
    const context =
      parent === undefined ? ROOT_CONTEXT : traces.setSpanContext(ROOT_CONTEXT, remote(parent));
    const kind = SpanKind.SERVER;
    const { decision } = this.#sampler.shouldSample(context, traceId, "request", kind, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  /** Queues the spans of a trace. */
  export(trace: RequestTrace, spans: readonly EndedSpan[]): void {
    for (const span of spans) this.#processor.onEnd(readable(trace, span, this.#resource));
  }

  /** Sends what waits, if the collector takes it quickly enough. Never rejects. */
  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_MS_MAX);
    await Promise.race([this.#processor.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  }
}

function readable(trace: RequestTrace, span: EndedSpan, resource: Resource): ReadableSpan {
  const { traceId, parent, state } = trace;
  const traceState = state === null ? {} : { traceState: createTraceState(state) };
  const context = (spanId: string): SpanContext => ({
    ...{ traceId, spanId, traceFlags: TraceFlags.SAMPLED },
    ...traceState,
  });
  const own = context(span.spanId);
  const { parentId } = span;
  const isRemote = parent !== undefined && parentId === parent.spanId;
  const parentSpan = parentId === undefined ? {} : { ...context(parentId), isRemote };
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => own,
    ...(parentId === undefined ? {} : { parentSpanContext: parentSpan as SpanContext }),
    startTime: hrTime(span.startMs),
    endTime: hrTime(span.endMs),
    duration: hrTime(span.endMs - span.startMs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: span.events.map(({ name, atMs }) => ({
      ...{ name, time: hrTime(atMs), attributes: NO_EVENT_ATTRIBUTES, droppedAttributesCount: 0 },
    })),
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

function remote({ traceId, spanId, isSampled }: RemoteSpan): SpanContext {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}

/** What the exporter has to say, at most once a minute. */
function logFailures(log: Logger): void {
  let loggedAt = -Infinity;
  const tell = (...parts: unknown[]) => {
    if (performance.now() - loggedAt < LOG_EVERY_MS) return;
    loggedAt = performance.now();
    log.warn({ message: parts.map(String).join(" ").slice(0, LOGGED_CHARS_MAX) }, "tracing.failed");
  };
  const silent = () => undefined;
  const logger = { error: tell, warn: tell, info: silent, debug: silent, verbose: silent };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
