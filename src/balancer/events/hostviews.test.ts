import { expect, test } from "bun:test";
import { Endpoint } from "../upstream/endpoint.ts";
import { HostViews } from "./hostviews.ts";

test("a view is made anew when a report, a request or a list of models may have changed it", () => {
  const endpoint = new Endpoint({ name: "e", url: "http://a" }, "e");
  endpoint.served = new Map([["m", "m"]]);
  const views = new HostViews();
  const stateNow = () => views.of(endpoint).host.models.map(({ state }) => state);
  const first = views.of(endpoint);
  expect(views.of(endpoint)).toBe(first);
  endpoint.warmth.apply({ models: new Map() }, { askedAtMs: 0, nowMs: 0 });
  expect(stateNow()).toEqual(["cold"]);
  const use = endpoint.warmth.begin("m", 1);
  expect(stateNow()).toEqual(["loading"]);
  use.answered(10, { nowMs: 2, usualMs: 0 });
  expect(stateNow()).toEqual(["loaded"]);
  use.end();
  const settled = views.of(endpoint);
  endpoint.warmth.begin("m", 3).end();
  expect(views.of(endpoint)).toBe(settled);
  endpoint.served = new Map();
  expect(stateNow()).toEqual(["loaded"]);
  endpoint.warmth.reset();
  expect(stateNow()).toEqual([]);
  const gpu = { name: "A GPU", total_memory_bytes: 2, used_memory_bytes: 1 };
  endpoint.change({ deviceInfo: { device_type: "gpu", gpu_devices: [gpu] } });
  expect(views.of(endpoint).host.memories).toHaveLength(1);
});

test("a load that nobody waits for any more is seen to end", () => {
  const endpoint = new Endpoint({ name: "e", url: "http://a" }, "e");
  endpoint.served = new Map([["m", "m"]]);
  endpoint.warmth.apply({ models: new Map() }, { askedAtMs: 0, nowMs: 0 });
  const views = new HostViews();
  const use = endpoint.warmth.begin("m", 1);
  expect(views.of(endpoint).host.models).toMatchObject([{ state: "loading" }]);
  use.end();
  expect(views.of(endpoint).host.models).toMatchObject([{ state: "cold" }]);
});
