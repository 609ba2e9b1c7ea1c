import { afterAll, expect, mock, test } from "bun:test";
import { isIP } from "node:net";
import { download } from "./download.ts";

const dns = { ...(await import("node:dns/promises")) };
/** What the resolver answers next, look-up by look-up. */
const answers: string[][] = [];
let lookups = 0;
mock.module("node:dns/promises", () => ({
  ...dns,
  lookup: async () => {
    lookups += 1;
    return (answers.shift() ?? []).map((address) => ({ address, family: isIP(address) }));
  },
}));
afterAll(() => {
  mock.module("node:dns/promises", () => dns);
});

const { signal } = new AbortController();
const options = { allowPrivate: true, limitBytes: 1000, signal, accept: "*/*" };

test("a name that resolves to another address a moment later changes nothing", async () => {
  const fetch = (request: Request) =>
    new URL(request.url).pathname === "/again"
      ? new Response(null, { status: 302, headers: { location: "/image" } })
      : new Response("image");
  using here = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  const url = `http://pictures.example:${here.port}`;

  answers.splice(0, Number.POSITIVE_INFINITY, ["127.0.0.1"], ["169.254.169.254"]);
  expect(await download(`${url}/image`, options)).toMatchObject({ ok: true });
  // It was looked up once: the connection went to the address that was checked.
  expect([lookups, answers.length]).toEqual([1, 1]);

  answers.splice(0, Number.POSITIVE_INFINITY, ["127.0.0.1"], ["169.254.169.254"]);
  expect(await download(`${url}/again`, options)).toEqual({
    ...{ ok: false, why: "failed", reason: "its address is not allowed" },
  });

  answers.splice(0, Number.POSITIVE_INFINITY, ["127.0.0.1", "::ffff:169.254.169.254"]);
  expect(await download(`${url}/image`, options)).toMatchObject({ ok: false });
});
