import { expect, test } from "bun:test";
import type { HostModel } from "../../../wire/host.ts";
import type { HostPicture } from "./picture.ts";
import { modelSums } from "./sums.ts";

const host = (
  models: HostModel[],
  running: Record<string, number> = {},
  condition = "online",
): HostPicture =>
  ({ condition, endpoint: { host: { models } }, load: { models: running } }) as never;

test("models are summed over hosts, by name", () => {
  const pictures = [
    host(
      [
        { model: "b", state: "loading" },
        { model: "a", state: "loaded" },
      ],
      { a: 2 },
    ),
    host(
      [
        { model: "b", state: "loaded" },
        { model: "c", state: "cold" },
      ],
      { b: 1, x: 1 },
    ),
    host([{ model: "b", state: "failed" }]),
    host([{ model: "a", state: "loaded" }], {}, "offline"),
  ];
  expect(modelSums(pictures, { c: 4 })).toEqual([
    { model: "a", state: "loaded", hosts: 1, active: 2, waiting: 0 },
    { model: "b", state: "loaded", hosts: 2, active: 1, waiting: 0 },
    { model: "c", state: "cold", hosts: 0, active: 0, waiting: 4 },
    { model: "x", state: "cold", hosts: 0, active: 1, waiting: 0 },
  ]);
});

test("of those who do not tell what is loaded, only models that work are named", () => {
  const all: HostModel[] = ["m", "n"].map((model) => ({ model, state: null }));
  expect(modelSums([host(all, { n: 1 })], {})).toEqual([
    { model: "n", state: null, hosts: 1, active: 1, waiting: 0 },
  ]);
});
