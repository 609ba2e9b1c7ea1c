import { describe, expect, test } from "bun:test";
import { setup } from "../../testkit/scheduling.ts";

test("of two clients of which one floods, the other waits one turn", () => {
  const { ask, finish, settled } = setup([{ slots: 1 }]);
  for (let i = 0; i < 40; i += 1) ask(`flood${i}`, { client: "flood" });
  ask("guest0", { client: "guest" });
  ask("guest1", { client: "guest" });
  for (let i = 0; i < 4; i += 1) finish(settled.at(-1)?.split(":")[0] ?? "flood0");
  expect(settled).toEqual(["flood1:a", "guest0:a", "flood2:a", "guest1:a"]);
});

test("a client that floods the queue crowds nobody else out", () => {
  const { ask } = setup([{ slots: 1 }]);
  const outcomes = Array.from({ length: 200 }, (_, i) => ask(`f${i}`, { client: "flood" }).kind);
  const count = (kind: string) => outcomes.filter((one) => one === kind).length;
  expect([count("granted"), count("queued"), count("delay")]).toEqual([1, 50, 30]);
  const guests = Array.from({ length: 20 }, (_, i) => ask(`g${i}`, { client: "guest" }).kind);
  expect(guests).toEqual(Array.from({ length: 20 }, () => "queued"));
  expect(ask("one more", { client: "other" }).kind).toBe("rejected");
});

describe("the queue", () => {
  test("delays from half of its limit on and rejects from four fifths on", () => {
    const { ask, scheduler } = setup([{ slots: 1 }], { queueMax: 10 });
    const kinds = Array.from({ length: 10 }, (_, i) => ask(`${i}`).kind);
    expect(kinds.slice(0, 6).join(" ")).toBe("granted queued queued queued queued queued");
    expect(kinds.slice(6).join(" ")).toBe("delay delay delay rejected");
    expect(scheduler.waiting()).toBe(8);
    expect(scheduler.counts.rejected).toBe(1);
  });

  test("takes who has begun up to its limit, and before all others", () => {
    const { ask, finish, settled } = setup([{ slots: 1 }], { queueMax: 10 });
    for (let i = 0; i < 9; i += 1) ask(`${i}`);
    expect([ask("new").kind, ask("begun", { hasBegun: true }).kind]).toEqual([
      "rejected",
      "queued",
    ]);
    finish("0");
    expect(settled).toEqual(["begun:a"]);
  });

  test("keeps the place of who is delayed, until it comes or gives up", () => {
    const { ask, scheduler } = setup([{ slots: 1 }], { queueMax: 4 });
    for (const name of ["1", "2", "3"]) ask(name);
    const delayed = ask("4");
    if (delayed.kind !== "delay") throw new Error(delayed.kind);
    expect([delayed.delayMs, ask("5").kind, scheduler.waiting("m")]).toEqual([10, "rejected", 3]);
    expect(ask("4", { place: delayed.place, nowMs: 10, sinceMs: 0 }).kind).toBe("queued");
    expect(scheduler.waiting("m")).toBe(3);
    delayed.place.giveUp();
    expect(scheduler.waiting("m")).toBe(3);
  });

  test("of one takes one, and the limit over all models holds", () => {
    const { ask } = setup([{ slots: 1, models: ["m", "n", "o"] }], { queueMax: 1, waitingMax: 2 });
    expect([ask("1").kind, ask("2").kind, ask("3").kind]).toEqual([
      "granted",
      "queued",
      "rejected",
    ]);
    expect(ask("4", { model: "n" }).kind).toBe("queued");
    expect(ask("5", { model: "o" }).kind).toBe("rejected");
  });

  test("of each model is told by itself, of no more models than asked for", () => {
    const { ask, scheduler } = setup([{ slots: 1, models: ["m", "n"] }]);
    ask("1");
    expect(scheduler.waitingByModel(9)).toEqual({});
    for (const name of ["2", "3"]) ask(name, { model: "n" });
    ask("4");
    expect(scheduler.waitingByModel(9)).toEqual({ m: 1, n: 2 });
    expect(Object.keys(scheduler.waitingByModel(1))).toHaveLength(1);
  });

  test("is left at once by clients that go, counted when their time is over", () => {
    const { ask, finish, settled, scheduler } = setup([{ slots: 1 }]);
    ask("1");
    const leavers = [ask("2"), ask("3")];
    ask("4");
    for (const [i, one] of leavers.entries()) {
      if (one.kind !== "queued") throw new Error(one.kind);
      expect(one.waiting.leave(i === 0 ? "timeout" : "aborted")).toBe(true);
      expect(one.waiting.leave("aborted")).toBe(false);
    }
    finish("1");
    expect(settled).toEqual(["4:a"]);
    expect(scheduler.counts.timedOut).toBe(1);
    expect(scheduler.waiting()).toBe(0);
  });

  test("is sent away when the scheduler closes, and nobody is let in after", () => {
    const { ask, scheduler, settled } = setup([{ slots: 1, models: ["m", "n"] }]);
    for (const name of ["1", "2", "3"]) ask(name);
    ask("4", { model: "n" });
    scheduler.close();
    expect(settled).toEqual(["2:closed", "3:closed", "4:closed"]);
    expect([ask("5").kind, scheduler.waiting()]).toEqual(["closed", 0]);
  });
});
