import { describe, expect, test } from "bun:test";
import { networkList } from "../../config/values/network.ts";
import { calledOrigin, isDirectFromHere, peerOf } from "./peer.ts";
import type { Scope } from "./scope.ts";
import { TrustedProxies } from "./trustedproxies.ts";

const NETWORKS = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];

function scope(address: string | undefined, headers: Record<string, string> = {}): Scope {
  const raw = new Request("http://127.0.0.1:8080/", { headers });
  const proxies = new TrustedProxies(NETWORKS);
  const server = {
    requestIP: () => (address === undefined ? null : { address, port: 1, family: "IPv4" as const }),
    timeout: () => undefined,
  };
  return {
    env: { server },
    req: { raw, path: "/", url: raw.url },
    get: (key: string) => (key === "proxies" ? proxies : undefined),
    set: () => undefined,
  } as unknown as Scope;
}

const via = (address: string, forwarded: string) =>
  peerOf(scope(address, { "x-forwarded-for": forwarded }));

describe("the client of a request is", () => {
  test.each<[string, string, string]>([
    ["10.0.0.1", "203.0.113.7", "203.0.113.7"],
    ["::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"],
    ["fd00::1", "2001:db8::7", "2001:db8::7"],
    ["127.0.0.1", "203.0.113.7, 10.0.0.9", "203.0.113.7"],
    ["127.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"],
    ["127.0.0.1", "203.0.113.7:5555", "203.0.113.7"],
    ["127.0.0.1", "[2001:db8::7]:5555", "2001:db8::7"],
    ["127.0.0.1", "10.0.0.7, 10.0.0.9", "10.0.0.7"],
  ])("behind the proxy %s, which says %p: %s", (proxy, forwarded, client) => {
    expect(via(proxy, forwarded)).toBe(client);
  });

  test.each<[string, string]>([
    ["203.0.113.9", "10.0.0.1"],
    ["11.0.0.1", "203.0.113.7"],
    ["10.0.0.1", ""],
    ["10.0.0.1", "unknown"],
    ["10.0.0.1", "203.0.113.7, evil"],
    ["10.0.0.1", "999.0.0.1"],
  ])("%s itself, where that is no proxy or says nothing of use: %p", (address, forwarded) => {
    expect(via(address, forwarded)).toBe(address);
  });

  test("unknown once its connection is gone", () => {
    expect(peerOf(scope(undefined, { "x-forwarded-for": "203.0.113.7" }))).toBeUndefined();
  });
});

describe("a request of this machine's own programs", () => {
  test.each([["127.0.0.2"], ["::1"], ["::ffff:127.0.0.3"]])("comes from %s", (address) => {
    expect(isDirectFromHere(scope(address))).toBe(true);
  });

  test.each<[string, string | undefined, Record<string, string>]>([
    ["another machine", "203.0.113.7", {}],
    ["another machine that says so", "203.0.113.7", { "x-forwarded-for": "127.0.0.1" }],
    ["nobody any more", undefined, {}],
    ["a trusted proxy that says nothing", "127.0.0.1", {}],
    ["a trusted proxy of another machine", "10.0.0.1", {}],
    ["a trusted proxy in the name of this machine", "127.0.0.1", { "x-forwarded-for": "::1" }],
    ["a proxy that is not known", "127.0.0.2", { "x-forwarded-for": "203.0.113.7" }],
    ["a proxy that tells otherwise", "127.0.0.2", { forwarded: "for=203.0.113.7" }],
    ["a proxy that tells its name", "127.0.0.2", { via: "1.1 proxy" }],
    ["a proxy that tells the address", "127.0.0.2", { "x-real-ip": "203.0.113.7" }],
    ["a proxy that tells the host", "127.0.0.2", { "x-forwarded-host": "llm.example" }],
    ["a proxy that tells the scheme", "127.0.0.2", { "x-forwarded-proto": "https" }],
  ])("comes not from %s", (_, address, headers) => {
    expect(isDirectFromHere(scope(address, headers))).toBe(false);
  });
});

test("what a client called is what a trusted proxy says", () => {
  const called = (address: string, proto: string, host: string) => {
    const headers = { "x-forwarded-proto": proto, "x-forwarded-host": host };
    return calledOrigin(scope(address, headers));
  };
  expect(called("10.0.0.1", "https", "llm.example")).toBe("https://llm.example");
  expect(called("10.0.0.1", "evil, https", "evil, llm.example:8443")).toBe(
    "https://llm.example:8443",
  );
  expect(called("10.0.0.1", "javascript", "llm.example")).toBe("http://llm.example");
  expect(called("10.0.0.1", "https", "a/b")).toBe("http://127.0.0.1:8080");
  expect(called("10.0.0.1", "", "")).toBe("http://127.0.0.1:8080");
  expect(called("203.0.113.9", "https", "llm.example")).toBe("http://127.0.0.1:8080");
});

test("proxies are named by addresses and networks", () => {
  const read = (value: unknown) => networkList().safeParse(value).data;
  expect(read("127.0.0.1, 10.0.0.0/8 ,fd00::/8")).toEqual(NETWORKS);
  expect(read(["::1"])).toEqual(["::1"]);
  expect(read("")).toEqual([]);
  for (const wrong of ["proxy", "10.0.0.0/33", "10.0.0.0/", "fd00::/129", 5, "10.0.0.0/8/8"]) {
    expect([wrong, read(wrong)]).toEqual([wrong, undefined]);
  }
});
