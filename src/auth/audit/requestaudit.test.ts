import { expect, test } from "bun:test";
import type { Scope } from "../../http/server/scope.ts";
import { RequestAudit } from "./requestaudit.ts";

const LOGIN = () => ["POST /api/auth/login"];
const CALLBACK = () => ["GET /api/auth/oidc/callback"];

function scopeOf(method: string): Scope {
  const values = new Map<string, unknown>([["principal", { kind: "anonymous", address: null }]]);
  const req = { path: "/", raw: new Request("http://127.0.0.1/", { method }) };
  const parts = { req, get: (key: string) => values.get(key), set: values.set.bind(values) };
  return { ...parts, env: {}, var: {} } as unknown as Scope;
}

test("changes that run are waited for, also after somebody has logged in by a GET", async () => {
  const log = { record: async () => undefined, begin: async () => true };
  const auditor = new RequestAudit(log as never);
  const visit = scopeOf("GET");
  expect(auditor.begin(visit, CALLBACK)).toBeUndefined();
  visit.set("change", { isLogin: true });
  await auditor.end(visit, CALLBACK, 302);

  const change = scopeOf("POST");
  await auditor.begin(change, LOGIN);
  const order: string[] = [];
  const held = auditor.hold(60_000).then(() => order.push("held"));
  await Promise.resolve();
  order.push("ended");
  await auditor.end(change, LOGIN, 200);
  await held;
  expect(order).toEqual(["ended", "held"]);
  await auditor.close();
});
