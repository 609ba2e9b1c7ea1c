import { expect, test } from "bun:test";
import { planFit } from "./fit.ts";
import { lentDevice, withLent, withoutLent } from "./lent.ts";

const lent = { [lentDevice(0)]: 3000, [lentDevice(1)]: 1000 };

test("devices of other hosts count for the fit, and not as memory of this host", () => {
  expect(withLent({ CUDA0: 500, host: 100 }, lent)).toEqual({
    ...{ CUDA0: 500, host: 100 },
    ...{ RPC0: 3000, RPC1: 1000 },
  });
  expect(withLent({ all: 500 }, lent)).toEqual({ all: 4500, RPC0: 3000, RPC1: 1000 });
  expect(withoutLent({ CUDA0: 500, RPC0: 3000, RPC1: 1, host: 20 })).toEqual({
    ...{ CUDA0: 500, host: 20 },
  });
});

test("a model that is too large for its host fits with them", () => {
  const question = {
    memoryOf: (tokens: number) => ({ RPC0: 2000 + tokens, RPC1: 900, host: 90 }),
    ...{ wishedTokens: 512, leastTokens: 256, mayShorten: true, mayMoveLayers: true },
  };
  const plan = planFit({ ...question, most: withLent({ host: 100 }, lent) });
  expect(plan).toMatchObject({ contextTokens: 512, movesLayers: false });
  expect(withoutLent(plan.need)).toEqual({ host: 90 });
});
