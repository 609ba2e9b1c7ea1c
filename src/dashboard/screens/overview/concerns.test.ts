import { expect, test } from "bun:test";
import type { EndpointView } from "../../../wire/endpoint.ts";
import { concernsOf, waitingSince } from "./concerns.ts";

function endpoint(name: string, more: Partial<EndpointView> = {}): EndpointView {
  const facts = { name, status: "online", draining: false, circuit: "closed", last_error: null };
  return { ...facts, ...more } as EndpointView;
}

test("one that is well is no concern", () => {
  expect(concernsOf([endpoint("a"), endpoint("b", { status: "pending" })])).toEqual([]);
});

test("each has its worst concern, and those that refuse requests come first", () => {
  const all = [
    endpoint("failing", { status: "error", last_error: "500" }),
    endpoint("drained", { draining: true, circuit: "open" }),
    endpoint("gone", { status: "offline", last_error: "refused", draining: true }),
    endpoint("shut", { circuit: "open" }),
    endpoint("locked", { api_key_unreadable: true, status: "offline" }),
    endpoint("rude", { last_request_error: "502" }),
  ];
  expect(concernsOf(all).map(({ kind, endpoint: { name } }) => [name, kind])).toEqual([
    ["gone", "endpoint_offline"],
    ["shut", "circuit_open"],
    ["locked", "key_unreadable"],
    ["failing", "endpoint_error"],
    ["drained", "drained"],
    ["rude", "endpoint_request_error"],
  ]);
});

test("requests that wait for a moment only are no concern", () => {
  const looks = (...counts: number[]) => counts.map((queue_waiting) => ({ queue_waiting }));
  expect(waitingSince(looks(3, 3, 3))).toBe(0);
  expect(waitingSince(looks(3, 3, 3, 3, 3, 0, 3, 3, 3, 3))).toBe(0);
  expect(waitingSince(looks(0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 7))).toBe(7);
});
