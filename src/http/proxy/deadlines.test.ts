import { expect, test } from "bun:test";
import { Deadlines } from "./deadlines.ts";

const caller = { signal: new AbortController().signal };

/** Limits on a clock that goes when it is told to. */
function onFakeClock() {
  let isOn = false;
  const clock = {
    nowMs: 0,
    add: () => {
      isOn = true;
    },
    remove: () => {
      isOn = false;
    },
  };
  const deadlines = new Deadlines("endpoint a", caller, clock);
  const passTime = (ms: number) => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.nowMs += Math.min(1000, left);
      if (isOn) deadlines.tick();
    }
  };
  return { deadlines, passTime };
}

test("a client that waits for the next piece is due a sign of life every 15 s", () => {
  const { deadlines, passTime } = onFakeClock();
  let pings = 0;
  deadlines.onQuiet = () => {
    pings += 1;
  };
  deadlines.wait("client", 600_000);
  deadlines.touch("rest");
  passTime(14_000);
  expect(pings).toBe(0);
  passTime(1000);
  expect(pings).toBe(1);
  passTime(30_000);
  expect(pings).toBe(3);
  deadlines.touch("client");
  passTime(60_000);
  expect(pings).toBe(3);
  deadlines.touch("rest");
  passTime(1000);
  expect(pings).toBe(4);
});

test("a client whose answer somebody else goes on with is due signs of life, too", () => {
  const { deadlines, passTime } = onFakeClock();
  let pings = 0;
  deadlines.onQuiet = () => {
    pings += 1;
  };
  deadlines.wait("client", 5000);
  deadlines.touch("rest");
  passTime(10_000);
  expect(deadlines.reason?.kind).toBe("timeout");
  deadlines.waitForOther();
  passTime(60_000);
  expect(pings).toBe(4);
  deadlines.end();
  passTime(60_000);
  expect(pings).toBe(4);
});
