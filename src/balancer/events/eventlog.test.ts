import { expect, test } from "bun:test";
import { EventLog } from "./eventlog.ts";

const frame = (id: string) => new TextEncoder().encode(id.padEnd(10));

function logOf(count: number, limits = { eventsMax: 5, bytesMax: 1000 }) {
  const log = new EventLog<number>(limits, "w");
  for (let i = 1; i <= count; i += 1) log.push(frame, i);
  return log;
}

test("who was away gets what came since, in order", () => {
  const log = logOf(4);
  expect(log.after("w.0.2")?.map(({ reader }) => reader)).toEqual([3, 4]);
  expect(log.after("w.0.4")).toEqual([]);
  expect(log.after("w.0.0")?.map(({ reader }) => reader)).toEqual([1, 2, 3, 4]);
});

test("who missed more than is kept is told so", () => {
  const log = logOf(8);
  expect(log.after("w.0.2")).toBeUndefined();
  expect(log.after("w.0.3")?.map(({ reader }) => reader)).toEqual([4, 5, 6, 7, 8]);
  for (const id of ["", "w.0.99", "other.0.8", "w.1.8"]) expect(log.after(id)).toBeUndefined();
});

test("what is kept is bounded in bytes, too", () => {
  const log = logOf(8, { eventsMax: 100, bytesMax: 35 });
  expect(log.after("w.0.5")?.map(({ reader }) => reader)).toEqual([6, 7, 8]);
  expect(log.after("w.0.4")).toBeUndefined();
});

test("after a time without anybody no id is known any more", () => {
  const log = logOf(3);
  log.clear();
  expect(log.after("w.0.3")).toBeUndefined();
  log.push(frame, 4);
  expect(log.after("w.1.3")?.map(({ reader }) => reader)).toEqual([4]);
});
