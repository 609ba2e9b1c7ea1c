import { expect, test } from "bun:test";
import { proposeWorkers } from "./workerproposal.ts";

const offers = [
  { name: "small", freeBytes: 10 },
  { name: "large", freeBytes: 50 },
  { name: "middle", freeBytes: 30 },
];

test.each([
  ["one that is enough", 50, ["large"]],
  ["as few as are enough", 51, ["large", "middle"]],
  ["all of them", 90, ["large", "middle", "small"]],
  ["none where all are not enough", 91, undefined],
])("what is proposed is %s", (_, bytes, names) => {
  expect(proposeWorkers(bytes, offers)).toEqual(names);
});

test("nobody is proposed where nobody lends, nor more than a model may name", () => {
  expect(proposeWorkers(1, [])).toBeUndefined();
  const many = Array.from({ length: 20 }, (_, i) => ({ name: `w${i}`, freeBytes: 1 }));
  expect(proposeWorkers(16, many)).toHaveLength(16);
  expect(proposeWorkers(17, many)).toBeUndefined();
});
