/** How the sampler decides about traces that begin here, and those that a client began. */
export interface SamplerSetting {
  /** A client's decision counts, whatever the ratio. */
  readonly isParentBased: boolean;
  /** Share of the traces that are told, 0 to 1. */
  readonly ratio: number;
}

/** What the standard variables of OpenTelemetry say of traces, those of the exporter aside. */
export interface OtelSettings {
  readonly sampler: SamplerSetting;
  /** Spans that wait to be sent; further ones are dropped. */
  readonly queueMax: number;
  readonly batchMax: number;
  readonly batchDelayMs: number;
  readonly exportTimeoutMs: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined settings: nothing is traced. Warnings say what was not understood. */
export interface OtelChoice {
  settings: OtelSettings | undefined;
  warnings: string[];
}

const ENDPOINTS = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] as const;
const PROTOCOLS = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] as const;

/** Each sampler of the specification that needs nobody else. */
const SAMPLERS: Readonly<Record<string, { isParentBased: boolean; ratio: number | "argument" }>> = {
  always_on: { isParentBased: false, ratio: 1 },
  always_off: { isParentBased: false, ratio: 0 },
  traceidratio: { isParentBased: false, ratio: "argument" },
  parentbased_always_on: { isParentBased: true, ratio: 1 },
  parentbased_always_off: { isParentBased: true, ratio: 0 },
  parentbased_traceidratio: { isParentBased: true, ratio: "argument" },
};
const SAMPLER_DEFAULT = { isParentBased: true, ratio: 1 };

/** Spans that may wait, whatever is set: each takes about 2 KiB. */
const QUEUE_MAX = 100_000;

/**
 * Reads the variables by the rules of OpenTelemetry's specification ("Environment Variable
 * Specification", "OpenTelemetry Protocol Exporter"): an empty one counts as not set, and one that
 * is not understood is warned of and ignored. Traces are sent where an endpoint is set.
 */
export function otelSettings(environment: Environment): OtelChoice {
  const warnings: string[] = [];
  const read = (names: readonly string[]) => {
    const name = names.find((one) => (environment[one] ?? "").trim() !== "");
    return { name: name ?? "", value: name && environment[name]?.trim() };
  };
  const off = { settings: undefined, warnings };
  const endpoint = read(ENDPOINTS);
  if (endpoint.value === undefined) return off;
  if (read(["OTEL_SDK_DISABLED"]).value?.toLowerCase() === "true") return off;
  const exporters = read(["OTEL_TRACES_EXPORTER"]).value ?? "otlp";
  if (!exporters.split(",").some((one) => one.trim() === "otlp")) return off;
  if (!/^https?:$/.test(URL.parse(endpoint.value)?.protocol ?? "")) {
    warnings.push(`${endpoint.name} is no URL such as http://127.0.0.1:4318: nothing is traced`);
    return off;
  }
  const protocol = read(PROTOCOLS);
  if (protocol.value === "grpc") {
    warnings.push(`${protocol.name}: grpc is not spoken, nothing is traced; set http/protobuf \
and the collector's port for it, mostly 4318`);
    return off;
  }
  const number = (name: string, fallback: number, max: number) => {
    const { value } = read([name]);
    if (value === undefined) return fallback;
    if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Math.min(Number(value), max);
    warnings.push(`${name} must be a whole number above 0: ${fallback} is taken`);
    return fallback;
  };
  const queueMax = number("OTEL_BSP_MAX_QUEUE_SIZE", 2048, QUEUE_MAX);
  const settings = {
    sampler: samplerOf(read, warnings),
    queueMax,
    batchMax: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", Math.min(512, queueMax), queueMax),
    batchDelayMs: number("OTEL_BSP_SCHEDULE_DELAY", 5000, 3_600_000),
    exportTimeoutMs: number("OTEL_BSP_EXPORT_TIMEOUT", 30_000, 3_600_000),
  };
  return { settings, warnings };
}

function samplerOf(
  read: (names: readonly string[]) => { value: string | undefined },
  warnings: string[],
): SamplerSetting {
  const { value: name } = read(["OTEL_TRACES_SAMPLER"]);
  if (name === undefined) return SAMPLER_DEFAULT;
  const known = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name] : undefined;
  if (known === undefined) {
    const names = Object.keys(SAMPLERS).join(", ");
    warnings.push(`OTEL_TRACES_SAMPLER must be one of ${names}: parentbased_always_on is taken`);
    return SAMPLER_DEFAULT;
  }
  const { isParentBased, ratio } = known;
  if (ratio !== "argument") return { isParentBased, ratio };
  const { value: argument } = read(["OTEL_TRACES_SAMPLER_ARG"]);
  const share = Number(argument ?? "1");
  if (share >= 0 && share <= 1) return { isParentBased, ratio: share };
  warnings.push("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1: 1 is taken");
  return { isParentBased, ratio: 1 };
}
