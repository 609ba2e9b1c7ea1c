import { expect, test } from "bun:test";
import { FLOW_MS, OidcFlows } from "./flow.ts";

const T0 = 1_800_000_000_000;

test("a flow is read again from its cookie, for ten minutes", () => {
  const flows = new OidcFlows();
  const flow = flows.begin(T0);
  expect(flows.read(flow.cookie, T0 + FLOW_MS - 1)).toEqual(flow);
  expect(flows.read(flow.cookie, T0 + FLOW_MS)).toBeUndefined();
  // RFC 7636, 4.1.
  expect(flow.codeVerifier).toMatch(/^[\w-]{43}$/);
});

test("no two flows have anything in common", () => {
  const flows = new OidcFlows();
  const all = [flows.begin(T0), flows.begin(T0)].flatMap(
    ({ cookie, state, nonce, codeVerifier }) => [...[cookie, state, nonce, codeVerifier]],
  );
  expect(new Set(all).size).toBe(8);
});

test("a cookie that was changed, made up, or is of another process is none", () => {
  const flows = new OidcFlows();
  const { cookie } = flows.begin(T0);
  const [random, end, mark] = cookie.split(".");
  const forged = [
    ...[
      "",
      "..",
      "a.b.c",
      `${cookie}x`,
      `${random}.${Number(end) + 1}.${mark}`,
      `${random}.${end}.`,
    ],
    new OidcFlows().begin(T0).cookie,
  ];
  for (const one of forged) expect([one, flows.read(one, T0)]).toEqual([one, undefined]);
});
