import { expect, test } from "bun:test";
import { mapInTurns, stepInTurns, TurnTasks } from "./eventloop.ts";

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

/** Counts the turns of the process that others have until `work` is done. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const beat = () => {
    turns += 1;
    if (!isDone) setImmediate(beat);
  };
  setImmediate(beat);
  await work;
  isDone = true;
  return turns;
}

function busy(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

test("others have their turns while many items are changed, none while few are", async () => {
  const many = mapInTurns([1, 2, 3, 4, 5, 6], (item) => {
    busy(5);
    return item * 2;
  });
  expect(await turnsDuring(many)).toBeGreaterThanOrEqual(5);
  expect(await many).toEqual([2, 4, 6, 8, 10, 12]);
  let isDone = false;
  void mapInTurns([1, 2], (item) => item).then(() => {
    isDone = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(isDone).toBe(true);
});

test("steps are made until the last, in turns, and what one throws is thrown", async () => {
  let steps = 0;
  const work = stepInTurns(() => {
    busy(5);
    steps += 1;
    return steps === 5;
  });
  expect(await turnsDuring(work)).toBeGreaterThanOrEqual(4);
  expect(steps).toBe(5);
  const fails = stepInTurns(() => {
    throw new Error("no");
  });
  expect(fails).rejects.toThrow("no");
});
