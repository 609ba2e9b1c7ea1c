import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";

let home: StateHome;
let state: State;

beforeEach(async () => {
  home = makeStateHome();
  state = await home.open();
});
afterEach(() => home.remove());

test("a token lets in once, and is nowhere to be read", async () => {
  const { token, id } = await state.enrolment.createToken({ purpose: "node", note: "rack 3" });
  expect(token).toMatch(/^enrol_[\w-]{32}$/);
  const first = await state.enrolment.redeem(token, "node");
  expect(first).toEqual({ ok: true, tokenId: id, again: false });
  expect(await state.enrolment.redeem(token, "node")).toEqual({ ok: false, reason: "used_up" });
  expect(JSON.stringify(await state.enrolment.listTokens())).not.toContain(token);
  await state.close();
  expect(readFileSync(join(home.path, "lb.db")).includes(token)).toBe(false);
});

test("of many who redeem at once as many get in as may", async () => {
  const { token, id } = await state.enrolment.createToken({ purpose: "node", usesMax: 3 });
  const all = Array.from({ length: 10 }, () => state.enrolment.redeem(token, "node"));
  expect((await Promise.all(all)).filter(({ ok }) => ok)).toHaveLength(3);
  await state.enrolment.release(id);
  expect((await state.enrolment.redeem(token, "node")).ok).toBe(true);
  expect((await state.enrolment.redeem(token, "node")).ok).toBe(false);
});

test("a token without a limit lets in until it expires", async () => {
  const made = await state.enrolment.createToken({ purpose: "node", usesMax: null, ttlMs: 1000 });
  const { token, expiresAt } = made;
  for (let i = 0; i < 3; i += 1) {
    expect((await state.enrolment.redeem(token, "node", expiresAt - 1)).ok).toBe(true);
  }
  const late = await state.enrolment.redeem(token, "node", expiresAt);
  expect(late).toEqual({ ok: false, reason: "expired" });
});

test("unknown and revoked tokens are refused, expired ones are forgotten in the end", async () => {
  const { token, id, expiresAt } = await state.enrolment.createToken({ purpose: "node" });
  const unknown = await state.enrolment.redeem(`${token}x`, "node");
  expect(unknown).toEqual({ ok: false, reason: "unknown" });
  expect(await state.enrolment.revokeToken(id)).toBe(true);
  expect(await state.enrolment.revokeToken("none")).toBe(false);
  expect(await state.enrolment.redeem(token, "node")).toEqual({ ok: false, reason: "revoked" });
  expect(await state.enrolment.pruneTokens(expiresAt)).toBe(0);
  expect(await state.enrolment.pruneTokens(expiresAt + 1)).toBe(1);
});

test("a node is known by its latest key only", async () => {
  const old = await state.enrolment.issueNodeKey("n1");
  const key = await state.enrolment.issueNodeKey("n1");
  expect(await state.enrolment.isNodeKey("n1", key)).toBe(true);
  for (const [node, wrong] of [
    ["n1", old],
    ["n1", ""],
    ["n2", key],
  ] as const) {
    expect(await state.enrolment.isNodeKey(node, wrong)).toBe(false);
  }
  expect(await state.enrolment.revokeNodeKey("n1")).toBe(true);
  expect(await state.enrolment.isNodeKey("n1", key)).toBe(false);
  expect(await state.enrolment.revokeNodeKey("n1")).toBe(false);
});
