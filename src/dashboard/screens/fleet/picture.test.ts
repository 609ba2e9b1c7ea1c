import { expect, test } from "bun:test";
import { EndpointView } from "../../../wire/endpoint.ts";
import type { HostView } from "../../../wire/host.ts";
import { memoryOf, modelLines, pictureOf, shapeOf, stateWord } from "./picture.ts";

const VIEW = EndpointView.parse({
  ...{ id: "e", name: "gpu1", base_url: "http://gpu1", source: "api", kind: "llmlb" },
  ...{ status: "online", has_api_key: false, health_check_interval_secs: 30 },
  ...{ inference_timeout_secs: 600, latency_ms: 1, inference_latency_ms: null, last_seen: null },
  ...{ last_error: null, error_count: 0, registered_at: "2026-01-31T12:00:00Z", notes: null },
  ...{ capabilities: [], slots: null, slots_in_effect: 4, active_requests: 2, circuit: "closed" },
  ...{ device_info: null, model_count: 1, total_requests: 0, successful_requests: 0 },
  failed_requests: 0,
});
const GPU = { name: "CUDA0", description: "A GPU", total_bytes: 100, other_bytes: 10 };
const loaded = (model: string, memory?: Record<string, number>) => ({
  ...{ model, state: "loaded" as const },
  ...(memory && { memory }),
});

function pictured(more: Partial<EndpointView>, host: Partial<HostView> = {}) {
  const whole: HostView = { memories: [GPU], models: [], more: 0, ...host };
  return pictureOf({ ...VIEW, host: whole, ...more }, undefined);
}
const partsOf = (host: Partial<HostView>) =>
  pictured({}, host).bars.map(({ segments }) =>
    segments.map(({ kind, bytes, model }) => `${model?.model ?? kind} ${bytes}`),
  );

test("a memory is filled by models, what others use, and what is free", () => {
  const models = [loaded("a", { CUDA0: 40, host: 5 }), loaded("b", { CUDA0: 20 })];
  expect(partsOf({ models })).toEqual([["a 40", "b 20", "other 10", "free 30"]]);
  expect(partsOf({})).toEqual([["other 10", "free 90"]]);
});

test("its parts are never more than it has", () => {
  expect(partsOf({ models: [loaded("a", { CUDA0: 95 })] })).toEqual([["a 95", "other 5"]]);
  const models = [loaded("a", { CUDA0: 100 }), loaded("b", { CUDA0: 100 })];
  const [bar] = pictured({}, { models }).bars;
  expect(bar?.segments.map(({ share }) => share)).toEqual([0.5, 0.5]);
});

test("models of which no memory is told stand beside the bars", () => {
  const cold = { model: "c", state: "cold" as const };
  const models = [loaded("a", { CUDA0: 1 }), loaded("b"), cold];
  expect(pictured({}, { models }).loose.map(({ model }) => model)).toEqual(["b", "c"]);
});

test("the gravest is what is said of a host", () => {
  const of = (more: Partial<EndpointView>) => pictured(more).condition;
  expect(of({})).toBe("online");
  expect(of({ status: "error" })).toBe("error");
  expect(of({ status: "error", circuit: "open" })).toBe("circuit_open");
  expect(of({ circuit: "half_open" })).toBe("circuit_testing");
  expect(of({ circuit: "open", draining: true })).toBe("draining");
  expect(of({ status: "offline", draining: true })).toBe("offline");
  expect(of({ status: "pending" })).toBe("pending");
});

test("nobody knows what is in a machine that is gone", () => {
  const gone = pictured({ status: "offline" }, { models: [loaded("a", { CUDA0: 40 })] });
  expect(gone.bars).toMatchObject([{ totalBytes: 100, segments: [] }]);
});

test("what models have of all there is", () => {
  const models = [loaded("a", { CUDA0: 40 })];
  const pictures = [pictured({}, { models }), pictured({})];
  expect(memoryOf(pictures)).toEqual({ usedBytes: 40, allBytes: 200 });
});

test("a picture stays the same object until something changes, and its cells in place", () => {
  const load = { id: "e", active: 2, models: { a: 1, b: 1 } };
  const first = pictureOf(VIEW, load);
  expect(pictureOf(VIEW, load, first)).toBe(first);
  const next = pictureOf(VIEW, { id: "e", active: 1, models: { b: 1 } }, first);
  expect(next.cells).toEqual([null, "b", null, null]);
  expect([next.bars, next.loose]).toEqual([first.bars, first.loose]);
  expect(next.bars).toBe(first.bars);
  expect(pictureOf({ ...VIEW, status: "offline" }, load, first).bars).not.toBe(first.bars);
});

test("below a host stand its models up to a number", () => {
  const cold = Array.from({ length: 6 }, (_, i) => ({ model: `c${i}`, state: "cold" as const }));
  const models = [loaded("a", { CUDA0: 1 }), ...cold];
  const picture = pictured({}, { models, more: 3 });
  expect(modelLines(picture, "medium")).toMatchObject({ shown: models.slice(0, 5), rest: 5 });
  expect(modelLines(picture, "large")).toMatchObject({ shown: models, rest: 3 });
  expect(shapeOf(picture, "medium")).toEqual({ bars: 1, cells: 4, lines: 6 });
  expect(shapeOf(picture, "small").lines).toBe(0);
});

test("how a model is is not known where its host is gone, or does not tell", () => {
  const words = (more: Partial<EndpointView>) =>
    [loaded("a"), { model: "b", state: null }].map((model) => stateWord(pictured(more), model));
  expect(words({})).toEqual(["loaded", "served"]);
  expect(words({ status: "offline" })).toEqual(["gone", "gone"]);
});
