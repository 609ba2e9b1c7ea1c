import { describe, expect, test } from "bun:test";
import { ORIGINS_DEFAULT } from "../../config/fields/hub.ts";
import { isAllowed, isAllowedRedirect, ownOrigins } from "./allowlist.ts";

describe("the list of origins", () => {
  test.each([
    "https://huggingface.co/org/name/resolve/main/a.gguf",
    "https://cdn-lfs.huggingface.co/x",
    "https://cdn-lfs-us-1.hf.co/x?sig=1",
    "https://cas-bridge.xethub.hf.co/x",
    "https://HUGGINGFACE.CO/x",
    "https://huggingface.co:443/x",
    "https://huggingface.co./x",
    "https://huggingface%2Eco/x",
    "https://huggingface.co\\x",
    "https://huggingface.co/a%2Fb",
  ])("has %s by default", (url) => expect(isAllowed(url, ORIGINS_DEFAULT)).toBe(true));

  test.each([
    "http://10.0.0.5/x.huggingface.co/m",
    "http://10.0.0.5:8080/x.hf.co/m",
    "http://10.0.0.5:8080/a/b.hf.co/m",
    "http://evil.example/huggingface.co/",
    "https://evil.example?x.hf.co/m",
    "https://evil.example#x.hf.co/m",
    "https://evil.example\\x.hf.co/m",
    "http://10.0.0.5/.hf.co/",
    "http://10.0.0.5\\.huggingface.co/m",
    "http://10.0.0.5%2f.huggingface.co/m",
    "http://10.0.0.5%5c.huggingface.co/m",
    "http://10.0.0.5?.huggingface.co/m",
    "http://10.0.0.5#.huggingface.co/m",
    "http://[fd00::5]/x.huggingface.co/m",
    "http://example.com:80/x.huggingface.co/m",
    "https://example.com/huggingface.co/x",
    "https://huggingface.co.example.com/x",
    "https://huggingface.co..example.com/x",
    "https://evilhuggingface.co/x",
    "https://huggingface.co@example.com/x",
    "https://user:pass@huggingface.co/x",
    "https://huggingface.co:8443/x",
    "http://huggingface.co:443/x",
    "http://huggingface.co/x",
    "http://cdn-lfs.huggingface.co:80/x",
    "file:///huggingface.co/x",
    "ftp://huggingface.co/x",
    "no address",
  ])("has not %s", (url) => expect(isAllowed(url, ORIGINS_DEFAULT)).toBe(false));

  test.each([
    ["*", "http://any.example/x", true],
    ["", "https://example.com/x", false],
    ["https://example.com/*", "https://example.com/x", true],
    ["https://example.com/*", "http://example.com/x", false],
    ["https://example.com", "https://example.com/x", true],
    ["https://example.com", "https://example.com:8443/x", false],
    ["*://example.com/*", "http://example.com/x", true],
    ["https://*.example.com/*", "https://10.0.0.5/x.example.com/m", false],
    ["https://*.example.com/*", "https://10.0.0.5/a.example.com/x", false],
    ["https://*.example.com", "https://10.0.0.5/a.example.com", false],
    ["https://*", "https://10.0.0.5:8443/x", true],
    ["example.com", "https://example.com/x", true],
    ["example.com", "https://example.com./x", true],
    ["EXAMPLE.com.", "https://example.com:8443/x", true],
    ["user@example.com", "https://example.com/x", false],
    ["b\u00fccher.example", "https://xn--bcher-kva.example/x", true],
    ["*.example.com", "https://a.example.com/x", true],
    ["*.example.com", "https://example.com/x", false],
    ["*.gguf", "https://10.0.0.5/m.gguf", false],
    ["mirror", "http://mirror:8080/x", true],
    ["mirror:*", "http://mirror:8080/x", true],
    ["mirror", "http://10.0.0.5/mirror", false],
    ["mirror*", "http://10.0.0.5/mirror", false],
  ])("compares %p with the host of %p", (pattern, url, allowed) => {
    expect(isAllowed(url, [pattern])).toBe(allowed);
  });

  test.each([
    ["127.0.0.1:80/*", "http://127.0.0.1:8080/x", false],
    ["127.0.0.1:80/*", "http://127.0.0.1/x", true],
    ["127.0.0.1:80/*", "http://2130706433/x", true],
    ["example.com:443", "https://example.com/x", true],
    ["example.com:443", "http://example.com/x", false],
    ["*:8080", "https://any.example:8080/x", true],
    ["*:8080", "http://any.example:8080/x", false],
    ["http://*:8080", "http://any.example:8080/x", true],
    ["mirror.example", "http://mirror.example/x", false],
    ["http://mirror.example", "http://mirror.example/x", true],
    ["*:8080", "http://any.example/x:8080", false],
    ["10.0.0.*", "http://10.0.0.5:8080/x", true],
    ["10.0.0.*/*", "http://10.0.0.5:8080/x", true],
    ["10.0.0.*", "http://10.0.0.example.com/x", false],
    ["[fd00::1]", "http://[fd00:0::1]:8080/x", true],
    ["FD00:0::1", "http://[fd00::1]:8080/x", true],
    ["[::1]:8080", "http://[::1]:8080/x", true],
    ["[::1]:8080", "http://[::1]:8081/x", false],
    ["[fd00::1]:80/*", "http://[fd00::1]/x", true],
    ["[fd00::1]:80/*", "http://[fd00::1]:8080/x", false],
    ["[fd00::*]", "http://[fd00::2]/x", true],
    ["[*]", "http://10.0.0.5/x", false],
  ])("compares %p with address and port of %p", (pattern, url, allowed) => {
    expect(isAllowed(url, [pattern])).toBe(allowed);
  });

  test.each([
    ["example.com/", "https://example.com/x", true],
    ["example.com/models/*", "https://example.com/models/a/b", true],
    ["example.com/models/*", "https://example.com/models/a", true],
    ["example.com/models/*", "https://EXAMPLE.com/Models/a", true],
    ["example.com/models/*", "https://example.com/other", false],
    ["example.com/models/*", "https://example.com/models/../other", false],
    ["example.com/models/*", "https://example.com/models/%2e%2e/other", false],
    ["example.com/models/*", "https://example.com/models/..%2fother", false],
    ["example.com/models/*", "https://example.com/models/..%5Cother", false],
    ["example.com/models/*", "https://10.0.0.5/example.com/models/a", false],
    ["*.example.com/models/*", "https://10.0.0.5/x.example.com/models/a", false],
    ["*.example.com/models/*", "https://10.0.0.5/a.example.com/models/x", false],
    ["example.com/models/*", "https://example.com/x/example.com/models/a", false],
  ])("narrows by the path in %p: %p", (pattern, url, allowed) => {
    expect(isAllowed(url, [pattern])).toBe(allowed);
  });

  test.each([
    ["org/name", "https://huggingface.co/org/name/resolve/main/x", true],
    ["ORG/*", "https://hf.co/org/other/resolve/main/x", true],
    ["org/name-2.5", "https://huggingface.co/Org/Name-2.5/resolve/main/x", true],
    ["org/name", "https://huggingface.co/org/other/resolve/main/x", false],
    ["org/*", "https://huggingface.co/org/x%2f..%2f..%2fother/name/x", false],
    ["org/*", "http://10.0.0.5/org/name/resolve/main/x", false],
    ["*/*", "http://10.0.0.5/org/name/resolve/main/x", false],
  ])("takes %p for a repository of the hub: %p", (pattern, url, allowed) => {
    expect(isAllowed(url, [pattern])).toBe(allowed);
  });

  test("lets repositories redirect to the hub's own hosts", () => {
    const url = "https://cas-bridge.xethub.hf.co/xet-bridge-us/1/2";
    for (const pattern of ["org/*", "org/name-2.5"]) {
      expect(isAllowed(url, [pattern])).toBe(false);
      expect(isAllowedRedirect(url, [pattern])).toBe(true);
    }
    expect(isAllowedRedirect(url, ["example.com"])).toBe(false);
    expect(isAllowedRedirect("http://10.0.0.5/x.hf.co/m", ["org/*"])).toBe(false);
  });

  test("is empty: nothing is allowed", () => {
    expect(isAllowed("https://huggingface.co/x", [])).toBe(false);
  });

  test.each(["http://mirror:8080", "http://[fd00::1]:8080/hf", "https://hf.example"])(
    "has the mirror %s with all of its ports",
    (hub) => {
      const origins = ownOrigins(hub);
      expect(isAllowed(`${hub}/a/b`, origins)).toBe(true);
      expect(isAllowed(hub.replace(/(:8080.*)?$/, ":9090/a"), origins)).toBe(true);
      expect(isAllowed(`http://10.0.0.5/${new URL(hub).host}/a`, origins)).toBe(false);
    },
  );

  test("has a mirror's own address", () => {
    expect(isAllowed("http://mirror:8080/a/b", ownOrigins("http://mirror:8080"))).toBe(true);
    expect(isAllowed("http://evil.example/mirror/a", ownOrigins("http://mirror"))).toBe(false);
    expect(ownOrigins("https://huggingface.co")).toEqual([]);
    expect(isAllowed("https://huggingface.co/x", ORIGINS_DEFAULT)).toBe(true);
  });

  test("has a mirror without encryption only if it was set so", () => {
    expect(isAllowed("http://hf.example/a", ownOrigins("https://hf.example"))).toBe(false);
    expect(isAllowed("http://hf.example/a", ownOrigins("http://hf.example"))).toBe(true);
  });

  test("has the public hub by its default alone", () => {
    for (const hub of ["https://huggingface.co", "https://HF.co.", "https://eu.hf.co"]) {
      expect(ownOrigins(hub)).toEqual([]);
    }
    expect(ownOrigins("https://nothf.co")).toEqual(["https://nothf.co:*"]);
  });
});
