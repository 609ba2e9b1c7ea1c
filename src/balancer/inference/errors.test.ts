import { expect, test } from "bun:test";
import { modelNotFound, noEndpoint, queueFull, queueTimeout } from "./errors.ts";

test.each([
  ["unknown", modelNotFound],
  ["offline", (model: string) => noEndpoint(model, 1)],
  ["full", queueFull],
  ["slow", (model: string) => queueTimeout(model, 1)],
])("the name of a model that is %s is repeated, but not without end", (_, refuse) => {
  expect(refuse("org/some-model").message).toContain("`org/some-model`");
  expect(refuse("m".repeat(20_000)).message.length).toBeLessThan(500);
});
