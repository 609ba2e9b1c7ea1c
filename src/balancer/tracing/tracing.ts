import type { Logger } from "../../lib/log.ts";
import { ApiError } from "../../wire/error.ts";
import { errorTypeOf } from "../record/genai.ts";
import type { RecordedRequest, RequestRecord } from "../record/record.ts";
import type { TokenCount } from "../record/tokencount.ts";
import { type Environment, otelSettings } from "./otelsettings.ts";
import { type EndedSpan, spansOf } from "./spans.ts";
import { RequestTrace } from "./trace.ts";
import { type RemoteSpan, readTraceparent } from "./traceparent.ts";

/** Where spans go. */
export interface SpanExporter {
  isSampled(traceId: string, parent: RemoteSpan | undefined): boolean;
  export(trace: RequestTrace, spans: readonly EndedSpan[]): void;
  close(): Promise<void>;
}

/** The traces of requests. They are made of what was noted, after a request's end. */
export class Tracing {
  readonly #exporter: SpanExporter;

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter;
  }

  /** A request has come; its trace goes on from the client's, if it has one. */
  begin({ headers, url }: Pick<Request, "headers" | "url">): RequestTrace {
    return new RequestTrace({
      parent: readTraceparent(headers.get("traceparent")),
      state: headers.get("tracestate"),
      scheme: url.slice(0, url.indexOf(":")),
      isSampled: (traceId, parent) => this.#exporter.isSampled(traceId, parent),
    });
  }

  /** A request has ended. */
  end(record: RequestRecord, { usage, source }: TokenCount): void {
    const { request, startMs, durationMs, firstTokenMs, status, outcome } = record;
    const { trace } = request;
    if (trace?.isSampled !== true) return;
    const spans = spansOf({
      ...{ trace, request, status },
      endMs: startMs + durationMs,
      firstTokenMs: firstTokenMs === null ? undefined : startMs + firstTokenMs,
      errorType: errorTypeOf(record),
      isBroken: outcome === "failed",
      usage: source === "usage" ? usage : undefined,
    });
    this.#exporter.export(trace, spans);
  }

  /** A request was refused before it had a record. */
  refused(request: RecordedRequest, error: unknown): void {
    const { trace } = request;
    if (trace?.isSampled !== true) return;
    const { status, code } = error instanceof ApiError ? error : { status: 500, code: "internal" };
    const spans = spansOf({
      ...{ trace, request, status, endMs: performance.now(), firstTokenMs: undefined },
      ...{ errorType: code, isBroken: false, usage: undefined },
    });
    this.#exporter.export(trace, spans);
  }

  /** Sends what waits; gives up soon. Never rejects. */
  close(): Promise<void> {
    return this.#exporter.close();
  }
}

/**
 * Traces as OpenTelemetry's variables want them: undefined unless they name a collector. Nothing of
 * the exporter is loaded then.
 */
export async function openTracing({
  environment,
  log,
}: {
  environment: Environment;
  log: Logger;
}): Promise<Tracing | undefined> {
  const { settings, warnings } = otelSettings(environment);
  for (const problem of warnings) log.warn({ problem }, "tracing.setting");
  if (settings === undefined) return undefined;
  const { OtlpExporter } = await import("./otlpexporter.ts");
  log.info({ sampler: settings.sampler }, "tracing.on");
  return new Tracing(new OtlpExporter(settings, log));
}
