import { describe, expect, test } from "bun:test";
import { otelSettings } from "./otelsettings.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };

const settings = (more: Record<string, string> = {}) => otelSettings({ ...ENDPOINT, ...more });

describe("the variables of OpenTelemetry", () => {
  test("turn traces on by an endpoint, with the defaults of the specification", () => {
    const expected = {
      sampler: { isParentBased: true, ratio: 1 },
      ...{ queueMax: 2048, batchMax: 512, batchDelayMs: 5000, exportTimeoutMs: 30_000 },
    };
    expect(settings()).toEqual({ settings: expected, warnings: [] });
    const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector/v1/traces" };
    expect(otelSettings(traces).settings).toEqual(expected);
  });

  test.each<[string, Record<string, string>]>([
    ["no endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    ["a blank endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: "  " }],
    ["the kit disabled", { OTEL_SDK_DISABLED: "TRUE" }],
    ["no exporter", { OTEL_TRACES_EXPORTER: "none" }],
    ["another exporter", { OTEL_TRACES_EXPORTER: "zipkin,console" }],
  ])("leave them off with %s", (_, more) => {
    expect(settings(more)).toEqual({ settings: undefined, warnings: [] });
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["no URL", { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, /OTLP_ENDPOINT is no URL/],
    ["grpc", { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /PROTOCOL: grpc is not spoken.*4318/],
  ])("leave them off, and say why, with %s", (_, more, warning) => {
    const choice = settings(more);
    expect(choice.settings).toBeUndefined();
    expect(choice.warnings.join()).toMatch(warning);
  });

  test("do not repeat an endpoint that may hold a password", () => {
    const { warnings } = settings({ OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://me:secret@collector" });
    expect(warnings.join()).not.toContain("secret");
  });

  test.each([
    ["always_on", undefined, false, 1],
    ["always_off", undefined, false, 0],
    ["traceidratio", "0.25", false, 0.25],
    ["traceidratio", undefined, false, 1],
    ["parentbased_always_on", undefined, true, 1],
    ["parentbased_always_off", undefined, true, 0],
    ["parentbased_traceidratio", "0.1", true, 0.1],
  ])("know the sampler %s with %s", (name, argument, isParentBased, ratio) => {
    const more = argument === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: argument };
    const choice = settings({ OTEL_TRACES_SAMPLER: name, ...more });
    expect(choice.settings?.sampler).toEqual({ isParentBased, ratio });
    expect(choice.warnings).toEqual([]);
  });

  test("warn of what they do not understand, and take the default", () => {
    const choice = settings({
      OTEL_TRACES_SAMPLER: "toString",
      OTEL_BSP_MAX_QUEUE_SIZE: "-1",
      OTEL_BSP_SCHEDULE_DELAY: "soon",
    });
    expect(choice.settings).toEqual(settings().settings);
    expect(choice.warnings).toHaveLength(3);
    const share = { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" };
    expect(settings(share).warnings).toHaveLength(1);
  });

  test("bound the queue, and the batch by the queue", () => {
    const large = settings({ OTEL_BSP_MAX_QUEUE_SIZE: "999999999" });
    expect(large.settings?.queueMax).toBe(100_000);
    const small = settings({ OTEL_BSP_MAX_QUEUE_SIZE: "8" });
    expect(small.settings).toMatchObject({ queueMax: 8, batchMax: 8 });
  });
});
