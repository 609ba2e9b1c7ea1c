import type { Registry } from "prom-client";
import type { Distribution } from "./series.ts";

/** A line of a metric, as prom-client writes it. */
export interface MetricSample {
  metricName?: string;
  labels: Record<string, string | number>;
  /** Written before `labels`. prom-client caches their text by object. */
  sharedLabels?: object;
  value: number;
}

/** A metric whose samples are made when the text is written. */
export interface MetricFamily {
  name: string;
  help: string;
  type: "counter" | "histogram";
  samples(): Iterable<MetricSample>;
}

/**
 * Adds a metric to a registry. Not as prom-client's own counters: they look labels up by their text
 * at every request.
 */
export function registerFamily(
  registry: Registry,
  { name, help, type, samples }: MetricFamily,
): void {
  const metric = { name, help, type, get: async () => ({ name, help, type, values: samples() }) };
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
}

/** The lines of a histogram; none for one with labels in which nothing was counted. */
export function histogramSamples(
  name: string,
  { bounds, counts, sum, count }: Distribution,
  sharedLabels: object,
): MetricSample[] {
  if (count === 0 && Object.keys(sharedLabels).length > 0) return [];
  let below = 0;
  const samples: MetricSample[] = bounds.map((le, bucket) => {
    below += counts[bucket] ?? 0;
    return { metricName: `${name}_bucket`, sharedLabels, labels: { le }, value: below };
  });
  samples.push({
    metricName: `${name}_bucket`,
    sharedLabels,
    labels: { le: "+Inf" },
    value: count,
  });
  samples.push({ metricName: `${name}_sum`, sharedLabels, labels: {}, value: sum });
  samples.push({ metricName: `${name}_count`, sharedLabels, labels: {}, value: count });
  return samples;
}
