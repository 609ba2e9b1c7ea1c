import { expect, test } from "bun:test";
import { TurnTasks } from "./eventloop.ts";

test("a turn ends after what is to be done in it, for all who asked in their order", async () => {
  const turns = new TurnTasks(() => 0);
  turns.end();
  const seen: string[] = [];
  const first = turns.end().then(() => seen.push("first"));
  const second = Promise.resolve()
    .then(() => seen.push("work"))
    .then(() => turns.end())
    .then(() => seen.push("second"));
  await Promise.all([first, second]);
  expect(seen).toEqual(["work", "first", "second"]);
});

test("whoever asks within a turn gets the same end, and later another one", async () => {
  const turns = new TurnTasks(() => 0);
  turns.end();
  const end = turns.end();
  expect(turns.end()).toBe(end);
  await end;
  expect(turns.end()).not.toBe(end);
});

test("who comes alone does not wait for the end of the turn", async () => {
  let nowMs = 0;
  const turns = new TurnTasks(() => nowMs);
  const seen: string[] = [];
  setImmediate(() => seen.push("end"));
  for (nowMs = 1; nowMs < 4; nowMs += 1) turns.end().then(() => seen.push(`at once`));
  await turns.end();
  await Bun.sleep(0);
  expect(seen).toEqual(["at once", "at once", "at once", "end"]);
});
