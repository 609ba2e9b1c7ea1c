import { expect, test } from "bun:test";
import type { LogFrame } from "../../../wire/log.ts";
import { LogBuffer } from "./buffer.ts";

function frame(run: string, at: number, message: string): LogFrame {
  const timestamp = new Date(at).toISOString();
  return { id: `${run}-${at}`, timestamp, level: "info", target: "a", message, fields: {} };
}
const messages = ({ lines }: LogBuffer) => lines.map(({ message }) => message);

test("a buffer keeps the last lines and counts them all", () => {
  const buffer = new LogBuffer(3);
  buffer.add([1, 2].map((at) => frame("run", at, `${at}`)));
  const before = buffer.lines;
  buffer.add([{ dropped: 7 }, ...[3, 4, 5].map((at) => frame("run", at, `${at}`))]);
  expect(messages(buffer)).toEqual(["3", "4", "5"]);
  expect(buffer.lines.map(({ number }) => number)).toEqual([3, 4, 5]);
  expect([buffer.received, buffer.dropped, buffer.lastId]).toEqual([5, 7, "run-5"]);
  expect(before).toHaveLength(2);
});

test("lines of the same millisecond are all kept, in the run that they are of", () => {
  const buffer = new LogBuffer();
  buffer.add([frame("run", 1, "a"), frame("run", 1, "b")]);
  buffer.add([frame("run", 1, "c")]);
  expect(messages(buffer)).toEqual(["a", "b", "c"]);
});

test("what another run tells again is left out, what is new is not", () => {
  const buffer = new LogBuffer();
  buffer.add([frame("one", 1, "a"), frame("one", 2, "b")]);
  buffer.add([frame("two", 1, "a"), frame("two", 2, "b"), frame("two", 5, "c")]);
  // The clock was put back.
  buffer.add([frame("two", 4, "d")]);
  expect(messages(buffer)).toEqual(["a", "b", "c", "d"]);
  expect(buffer.lastId).toBe("two-4");
});
