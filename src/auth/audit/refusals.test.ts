import { expect, test } from "bun:test";
import type { AuditEvent } from "../../db/audit/record.ts";
import { Refusals } from "./refusals.ts";

const MINUTE = 60_000;
const START = 1_700_000_000_000;

function refusal(time: number, more: Partial<AuditEvent> = {}): AuditEvent {
  return {
    ...{ time: START + time, action: "refused", route: "GET /api/users", path: "/api/users" },
    ...{ subject: null, details: null, actorKind: "anonymous", userId: null, userName: null },
    ...{ keyId: null, keyName: null, address: "10.0.0.1", status: 401, requestId: null, count: 1 },
    ...more,
  };
}

const counts = (events: AuditEvent[]) => events.map(({ address, count }) => [address, count]);

test("the first refusal is told within a second, those of the next minute as one", () => {
  const refusals = new Refusals();
  refusals.add(refusal(0));
  expect(refusals.due(START + 999)).toEqual([]);
  expect(counts(refusals.due(START + 1000))).toEqual([["10.0.0.1", 1]]);
  for (let s = 2; s < 60; s += 1) refusals.add(refusal(s * 1000, { requestId: `req_${s}` }));
  expect(refusals.due(START + MINUTE)).toEqual([]);
  const [told, ...more] = refusals.due(START + MINUTE + 1000);
  expect([told, more]).toEqual([refusal(2000, { requestId: "req_2", count: 58 }), []]);
});

test("who goes on is told ever more seldom, up to once an hour; who stops is forgotten", () => {
  const refusals = new Refusals();
  const told: number[] = [];
  const day = 24 * 60;
  for (let minute = 0; minute < day; minute += 0.5) {
    refusals.add(refusal(minute * MINUTE));
    for (const { count } of refusals.due(START + minute * MINUTE + 2000)) told.push(count);
  }
  expect(told.length).toBeLessThan(35);
  for (const { count } of refusals.rest()) told.push(count);
  expect(told.reduce((sum, count) => sum + count)).toBe(day * 2);
  expect(refusals.due(START + 3 * day * MINUTE)).toEqual([]);
  refusals.add(refusal(4 * day * MINUTE));
  expect(refusals.due(START + 4 * day * MINUTE + 1000)).toHaveLength(1);
});

test("addresses, routes and people are told apart", () => {
  const refusals = new Refusals();
  refusals.add(refusal(0));
  refusals.add(refusal(1, { address: "10.0.0.2" }));
  refusals.add(refusal(2, { route: "GET /api/keys" }));
  refusals.add(refusal(3, { userId: "ada" }));
  refusals.add(refusal(4, { action: "login_failed" }));
  expect(refusals.due(START + 1004)).toHaveLength(5);
});

test("a flood from many addresses becomes few records, and none of it is lost", () => {
  const refusals = new Refusals();
  let [told, sum] = [0, 0];
  const take = (events: AuditEvent[]) => {
    for (const { count } of events) [told, sum] = [told + 1, sum + count];
  };
  const seconds = 600;
  for (let second = 0; second < seconds; second += 1) {
    for (let n = 0; n < 100; n += 1) {
      refusals.add(refusal(second * 1000, { address: `10.${n}.${second}.1` }));
    }
    take(refusals.due(START + second * 1000));
  }
  take(refusals.rest());
  expect(sum).toBe(seconds * 100);
  expect(told).toBeLessThan(1000 + 256 + 30);
});

test("a flood does not hide that there were more", () => {
  const refusals = new Refusals();
  for (let n = 0; n < 300; n += 1) refusals.add(refusal(0, { address: `10.0.${n}.1` }));
  const later = refusals.due(START + 61 * MINUTE);
  expect(later).toHaveLength(257);
  expect(later.at(-1)).toMatchObject({ address: null, route: null, count: 44 });
});
