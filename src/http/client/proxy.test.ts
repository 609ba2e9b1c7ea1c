import { describe, expect, test } from "bun:test";
import { fakeProxy } from "../../testkit/servers/proxy.ts";
import { exchange } from "./exchange.ts";
import { proxyFor } from "./proxy.ts";

const settings = { httpProxy: "http://plain:3128", httpsProxy: "http://safe:80", proxyBypass: [] };

describe("the proxy for an address", () => {
  test.each([
    ["http://gpu1:8080/v1", "http://plain:3128"],
    ["https://api.example.com/v1", "http://safe"],
    ["http://10.0.0.5", "http://plain:3128"],
    ["http://localhost:1234", undefined],
    ["http://a.localhost", undefined],
    ["http://127.9.9.9:8080", undefined],
    ["https://[::1]:8080", undefined],
    ["http://[::ffff:127.0.0.1]:8080", undefined],
    ["http://127.0.0.1.example.com", "http://plain:3128"],
    ["nonsense", undefined],
  ])("%s is %p", (address, origin) => {
    expect(proxyFor(address, settings)?.origin).toBe(origin as string);
  });

  test("is none where none is set for its scheme", () => {
    expect(proxyFor("http://gpu1", { ...settings, httpProxy: null })).toBeUndefined();
    expect(proxyFor("https://gpu1", { ...settings, httpProxy: null })).toBeDefined();
  });

  test.each([
    ["*", "http://gpu1", true],
    ["gpu1", "http://gpu1:8080", true],
    ["GPU1", "http://gpu1", true],
    ["gpu1", "http://gpu10", false],
    ["gpu1:8080", "http://gpu1:8080", true],
    ["gpu1:8080", "http://gpu1", false],
    ["gpu1:443", "https://gpu1", true],
    ["example.com", "http://a.b.example.com", true],
    ["example.com", "http://badexample.com", false],
    [".example.com", "http://a.example.com", true],
    [".example.com", "http://example.com.", true],
    ["*.example.com", "http://a.example.com", true],
    ["10.0.0.5", "http://10.0.0.5:8080", true],
    ["0.0.5", "http://10.0.0.5", false],
    ["10.0.0.0/8", "http://10.255.0.1", true],
    ["10.0.0.0/8", "http://11.0.0.1", false],
    ["10.0.0.0/99", "http://10.0.0.1", false],
    ["10.0.0.0/", "http://11.0.0.1", false],
    ["fd00::/8", "http://[fd12::1]", true],
    ["fd00::1", "http://[fd00:0::1]:8080", true],
    ["[fd00::1]:80", "http://[fd00::1]:8080", false],
    [".", "http://gpu1", false],
  ])("bypassed by %s is %s: %p", (entry, address, bypassed) => {
    const found = proxyFor(address, { ...settings, proxyBypass: ["other", entry] });
    expect(found === undefined).toBe(bypassed);
  });

  test("has the user and the password of its URL, and does not show them", () => {
    const httpProxy = "http://me:p%40ss@proxy:3128";
    const found = proxyFor("http://gpu1", { ...settings, httpProxy });
    expect(found).toEqual({
      ...{ origin: "http://proxy:3128", hostname: "proxy", port: 3128 },
      authorization: `Basic ${btoa("me:p@ss")}`,
    });
  });
});

async function ask(url: string, more: object = {}): Promise<string> {
  const call = exchange({ url, method: "GET", headers: {}, body: null, keepAlive: true, ...more });
  return Buffer.from(await call.bytes(1e6)).toString();
}

describe("through a proxy, plain requests", () => {
  test("ask it for whole URLs, with its credentials, on connections of their own", async () => {
    using fake = fakeProxy(0);
    const proxy = { ...fake.proxy, authorization: "Basic eA==" };
    const received = await ask("http://gpu.invalid:8080/v1/models?a=b", { proxy });
    expect(received.split("\r\n")).toEqual([
      "GET http://gpu.invalid:8080/v1/models?a=b HTTP/1.1",
      "host: gpu.invalid:8080",
      "proxy-authorization: Basic eA==",
      "user-agent: llmlb",
      "",
      "",
    ]);
    // The same place without the proxy is another connection.
    const direct = await ask(`${fake.proxy.origin}/x`);
    expect(direct).toStartWith("GET /x HTTP/1.1\r\n");
    expect(direct).not.toContain("proxy-authorization");
  });

  test("fail as unreached where there is no proxy", async () => {
    const proxy = { origin: "http://127.0.0.1:9", hostname: "127.0.0.1", port: 9 };
    const failing = ask("http://gpu.invalid/", { proxy });
    await expect(failing).rejects.toMatchObject({ code: "connect" });
  });
});
