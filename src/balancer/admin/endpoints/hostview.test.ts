import { expect, test } from "bun:test";
import { Endpoint } from "../../upstream/endpoint.ts";
import { hostView, loadView } from "./hostview.ts";

const NOW = { askedAtMs: 0, nowMs: 0 };
const GPU = { name: "CUDA0", description: "A GPU", total_bytes: 1000, other_bytes: 101 };

/** An endpoint whose models requests name `id`, and itself `own`. */
function endpointWith(served: Record<string, string>): Endpoint {
  const endpoint = new Endpoint({ name: "e", url: "http://a" }, "e");
  endpoint.served = new Map(Object.entries(served));
  return endpoint;
}

test("a node's memories and models are told by the names that requests use", () => {
  const endpoint = endpointWith({ big: "org/big", "big:q4": "org/big:q4", cold: "cold", x: "x" });
  const big = { state: "loaded", bytes: 500, memoryBytes: { CUDA0: 450, host: 50 } } as const;
  endpoint.warmth.apply(
    {
      models: new Map([
        ["org/big", { ...big, isPinned: true }],
        ["org/big:q4", { ...big, aliasOf: "org/big" }],
        ["cold", { state: "cold" }],
        ["x", { state: "loading" }],
      ]),
      memories: [GPU],
    },
    NOW,
  );
  expect(hostView(endpoint)).toEqual({
    memories: [{ ...GPU, other_bytes: 102 }],
    models: [
      {
        ...{ model: "big", state: "loaded", size_bytes: 500, pinned: true },
        memory: { CUDA0: 450, host: 50 },
      },
      { model: "x", state: "loading" },
      { model: "cold", state: "cold" },
    ],
    more: 0,
  });
});

test("of one that tells nothing, models are named up to a limit", () => {
  const names = Array.from({ length: 10 }, (_, i) => [`m${i}`, `m${i}`]);
  const { memories, models, more } = hostView(endpointWith(Object.fromEntries(names)));
  expect(memories).toEqual([]);
  expect(models).toHaveLength(6);
  expect(models[0]).toEqual({ model: "m0", state: null });
  expect(more).toBe(4);
});

test("of an older node, the devices are known, and not who has them", () => {
  const endpoint = endpointWith({});
  const gpu = { name: "A GPU", total_memory_bytes: 1000, used_memory_bytes: 400 };
  endpoint.change({ deviceInfo: { device_type: "gpu", gpu_devices: [gpu] } });
  expect(hostView(endpoint).memories).toEqual([
    { name: "gpu0", description: "A GPU", total_bytes: 1000, other_bytes: 400 },
  ]);
});

test("what is gone keeps its memories, another machine at its place has none of them", () => {
  const endpoint = endpointWith({});
  endpoint.warmth.apply({ models: new Map(), memories: [GPU] }, NOW);
  endpoint.warmth.reset();
  expect(hostView(endpoint).memories).toHaveLength(1);
  endpoint.change({ url: "http://b" });
  expect(hostView(endpoint).memories).toEqual([]);
});

test("running requests are told by model, whatever its name", () => {
  const endpoint = endpointWith({ big: "org/big", "big:q4": "org/big:q4" });
  const state = "loaded" as const;
  const models = new Map([
    ["org/big", { state }],
    ["org/big:q4", { state, aliasOf: "org/big" }],
  ]);
  endpoint.warmth.apply({ models }, NOW);
  expect(loadView(endpoint)).toEqual({ id: "e", active: 0, models: {} });
  for (const model of ["big", "big:q4", "unlisted"]) {
    endpoint.load.begin();
    endpoint.warmth.begin(model, 1);
  }
  expect(loadView(endpoint)).toEqual({ id: "e", active: 3, models: { big: 2, unlisted: 1 } });
});
