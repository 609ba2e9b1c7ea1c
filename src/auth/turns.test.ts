import { expect, test } from "bun:test";
import { Turns } from "./turns.ts";

/** Work that ends when it is told to. */
function job() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let isRunning = false;
  return {
    work: () => {
      isRunning = true;
      return promise.finally(() => {
        isRunning = false;
      });
    },
    end: resolve,
    fail: reject,
    get isRunning() {
      return isRunning;
    },
  };
}

test("so many run at once, others in their order, and too many are refused", async () => {
  const turns = new Turns({ running: 2, waiting: 2, full: () => new Error("full") });
  const jobs = Array.from({ length: 5 }, job);
  const done = jobs.map(({ work }) => turns.run(work));
  expect(jobs.map(({ isRunning }) => isRunning)).toEqual([true, true, false, false, false]);
  expect(done[4]).rejects.toThrow("full");
  jobs[1]?.fail(new Error("wrong"));
  expect(done[1]).rejects.toThrow("wrong");
  await Bun.sleep(0);
  expect(jobs.map(({ isRunning }) => isRunning)).toEqual([true, false, true, false, false]);
  jobs[0]?.end("first");
  jobs[2]?.end("third");
  jobs[3]?.end("fourth");
  expect(await Promise.all([done[0], done[2], done[3]])).toEqual(["first", "third", "fourth"]);
  const later = job();
  later.end("later");
  expect(await turns.run(later.work)).toBe("later");
});
