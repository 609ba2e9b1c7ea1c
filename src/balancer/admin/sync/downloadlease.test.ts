import { expect, test } from "bun:test";
import { DownloadLeases } from "./downloadlease.ts";

const ask = (leases: DownloadLeases, node: string, nowMs: number, key = "m q8") =>
  leases.acquire(key, { node, model: "m" }, nowMs).node;

test("the first node to ask has the lease, the others get its name", () => {
  const leases = new DownloadLeases();
  expect(ask(leases, "a", 0)).toBe("a");
  expect(ask(leases, "b", 1)).toBe("a");
  expect(ask(leases, "b", 1, "m q4")).toBe("b");
});

test("a lease ends when its holder says nothing for 15 s, and not before", () => {
  const leases = new DownloadLeases();
  ask(leases, "a", 0);
  expect(ask(leases, "a", 10_000)).toBe("a");
  expect(ask(leases, "b", 24_999)).toBe("a");
  expect(ask(leases, "b", 25_000)).toBe("b");
  expect(ask(leases, "a", 25_001)).toBe("b");
});

test("a holder that fetches the model no more gives its lease back", () => {
  const leases = new DownloadLeases();
  ask(leases, "a", 0);
  leases.releaseExcept("b", () => false);
  leases.releaseExcept("a", (model) => model === "m");
  expect(ask(leases, "b", 1)).toBe("a");
  leases.releaseExcept("a", () => false);
  expect(ask(leases, "b", 2)).toBe("b");
});
