import { describe, expect, test } from "bun:test";
import { ORIGINS_DEFAULT } from "../../config/fields/hub.ts";
import { isAllowed, ownOrigins } from "./allowlist.ts";

describe("the list of origins", () => {
  test.each([
    "https://huggingface.co/org/name/resolve/main/a.gguf",
    "https://cdn-lfs.huggingface.co/x",
    "https://cdn-lfs-us-1.hf.co/x?sig=1",
    "https://cas-bridge.xethub.hf.co/x",
    "https://HUGGINGFACE.CO/x",
    "https://huggingface.co./x",
  ])("has %s by default", (url) => expect(isAllowed(url, [...ORIGINS_DEFAULT])).toBe(true));

  test.each([
    "https://example.com/huggingface.co/x",
    "http://10.0.0.5/x.huggingface.co/m",
    "http://10.0.0.5:8080/a/b.hf.co/m",
    "http://evil.example/huggingface.co/",
    "https://evil.example?x.hf.co/m",
    "https://evil.example#x.hf.co/m",
    "https://evil.example\\x.hf.co/m",
    "https://huggingface.co.example.com/x",
    "https://evilhuggingface.co/x",
    "https://huggingface.co@example.com/x",
    "https://user:pass@huggingface.co/x",
    "file:///huggingface.co/x",
    "ftp://huggingface.co/x",
    "no address",
  ])("has not %s", (url) => expect(isAllowed(url, [...ORIGINS_DEFAULT])).toBe(false));

  test.each([
    ["*", "http://any.example/x", true],
    ["https://example.com/*", "https://example.com/x", true],
    ["https://example.com/*", "http://example.com/x", false],
    ["example.com", "https://example.com/x", true],
    ["example.com/models/*", "https://example.com/models/a", true],
    ["example.com/models/*", "https://example.com/other", false],
    ["*.example.com", "https://a.example.com/x", true],
    ["org/name", "https://hub.example/org/name/resolve/main/x", true],
    ["ORG/*", "https://hub.example/org/other/resolve/main/x", true],
    ["org/name", "https://hub.example/org/other/resolve/main/x", false],
    ["mirror", "http://mirror:8080/x", true],
    ["127.0.0.1:80/*", "http://127.0.0.1:8080/x", false],
    ["127.0.0.1:80/*", "http://127.0.0.1/x", true],
    ["[::1]:8080", "http://[::1]:8080/x", true],
    ["[::1]:8080", "http://[::1]:8081/x", false],
    ["example.com", "https://example.com./x", true],
    ["https://*.example.com", "https://10.0.0.5/a.example.com", false],
    ["https://*.example.com/*", "https://10.0.0.5/a.example.com/x", false],
    ["*.example.com/models/*", "https://10.0.0.5/a.example.com/models/x", false],
    ["example.com/models/*", "https://example.com/x/example.com/models/a", false],
    ["", "https://example.com/x", false],
  ])("compares %p with %p", (pattern, url, allowed) => {
    expect(isAllowed(url, [pattern])).toBe(allowed);
  });

  test("is empty: nothing is allowed", () => {
    expect(isAllowed("https://huggingface.co/x", [])).toBe(false);
  });

  test("has a mirror's own address", () => {
    expect(isAllowed("http://mirror:8080/a/b", ownOrigins("http://mirror:8080"))).toBe(true);
    expect(isAllowed("http://evil.example/mirror/a", ownOrigins("http://mirror"))).toBe(false);
    expect(ownOrigins("https://huggingface.co")).toEqual([]);
    expect(isAllowed("https://huggingface.co/x", [...ORIGINS_DEFAULT])).toBe(true);
  });
});
