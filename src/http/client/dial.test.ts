import { afterAll, expect, mock, test } from "bun:test";
import { isIP } from "node:net";
import { exchange } from "./exchange.ts";
import { get } from "./get.ts";

const dns = { ...(await import("node:dns/promises")) };
/** What a name of the tests resolves to by now. */
const zone: Record<string, string[]> = {};
mock.module("node:dns/promises", () => ({
  ...dns,
  lookup: async (name: string) =>
    (zone[name] ?? []).map((address) => ({ address, family: isIP(address) })),
}));
afterAll(() => {
  mock.module("node:dns/promises", () => dns);
});

async function ask(url: string, guarded = true): Promise<string> {
  const { signal } = new AbortController();
  const request = { url, guarded, headers: {}, timeoutMs: 5000, limitBytes: 1000, signal };
  const answer = await get(request).catch(String);
  return typeof answer === "string" ? answer : new TextDecoder().decode(answer.body);
}

function server() {
  return Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("here") });
}

test("a guarded name is looked up and checked for each connection", async () => {
  using here = server();
  const url = `http://gpu.example:${here.port}/`;
  zone["gpu.example"] = ["127.0.0.1"];
  expect(await ask(url)).toBe("here");
  zone["gpu.example"] = ["169.254.169.254"];
  expect(await ask(url)).toContain("the address of gpu.example is refused");
  zone["gpu.example"] = ["fe80::1%en0", "::ffff:169.254.169.254"];
  expect(await ask(url)).toContain("is refused");
  // Names of machines in a local network have link-local addresses besides others.
  zone["gpu.example"] = ["fe80::1%en0", "127.0.0.1"];
  expect(await ask(url)).toBe("here");
  zone["gpu.example"] = [];
  expect(await ask(url)).toContain("Connecting failed");
});

test("of several addresses the first that answers is taken", async () => {
  using here = server();
  zone["gpu.example"] = ["127.0.0.2", "127.0.0.1"];
  expect(await ask(`http://gpu.example:${here.port}/`)).toBe("here");
});

test("addresses are refused however they are written, and only where it is wanted", async () => {
  const hosts = [
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "2852039166",
  ];
  for (const host of [...hosts, "[fe80::1]", "metadata.google.internal"]) {
    expect([host, await ask(`http://${host}:9/`)]).toEqual([
      host,
      expect.stringContaining("is refused"),
    ]);
  }
  using here = server();
  const url = `http://127.0.0.1:${here.port}/`;
  expect([await ask(url), await ask(url, false)]).toEqual(["here", "here"]);
});

test("a connection that was not guarded is not used where it is wanted", async () => {
  using here = server();
  zone["gpu.example"] = ["169.254.169.254"];
  const request = { method: "GET", headers: {}, body: null, keepAlive: true };
  const free = exchange({ ...request, url: `http://127.0.0.1:${here.port}/` });
  expect((await free.head).status).toBe(200);
  const guarded = exchange({ ...request, url: `http://gpu.example:${here.port}/`, guarded: true });
  expect(await guarded.head.catch(String)).toContain("is refused");
});
