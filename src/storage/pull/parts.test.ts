import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ORIGINS_DEFAULT } from "../../config/hubfields.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import { isAllowed, ownOrigins } from "./allowlist.ts";
import { Progress } from "./progress.ts";
import { Ranges } from "./ranges.ts";
import { Throttle } from "./throttle.ts";

test("ranges know what is there, as a set of bytes would", () => {
  const range = fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]) => [a, a + (b % 13)] as const);
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), fc.nat(70), (list, size) => {
      const ranges = new Ranges();
      const bytes = new Set<number>();
      for (const [start, end] of list) {
        ranges.add(start, end);
        for (let i = start; i < end; i += 1) bytes.add(i);
      }
      expect(ranges.bytes).toBe(bytes.size);
      const missing = ranges.gaps(size).flatMap(([start, end]) => {
        expect(start).toBeLessThan(end);
        return Array.from({ length: end - start }, (_, i) => start + i);
      });
      const wanted = Array.from({ length: size }, (_, i) => i).filter((i) => !bytes.has(i));
      expect(missing).toEqual(wanted);
      let reach = 0;
      while (bytes.has(reach)) reach += 1;
      expect(ranges.reach(0)).toBe(reach);
      expect(new Ranges(ranges.toJSON()).toJSON()).toEqual(ranges.toJSON());
    }),
  );
});

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

describe("a throttle", () => {
  const never = new AbortController().signal;

  test("lets through what its rate says, and counts weights", async () => {
    let nowMs = 0;
    const wait = async (ms: number) => {
      nowMs += ms;
    };
    const throttle = new Throttle({ bytesPerSecond: 1000, nowMs: () => nowMs, wait });
    for (let i = 0; i < 40; i += 1) await throttle.take(100, 1, never);
    expect(nowMs).toBe(3750);
    for (let i = 0; i < 10; i += 1) await throttle.take(100, 3, never);
    expect(nowMs).toBe(6750);
    throttle.limit(0);
    await throttle.take(1e9, 1, never);
    expect(nowMs).toBe(6750);
  });
});

describe("a semaphore", () => {
  const never = new AbortController().signal;

  test("serves in the order of asking, and forgets who left", async () => {
    const semaphore = new Semaphore(1);
    const order: string[] = [];
    const first = await semaphore.acquire(never);
    const abort = new AbortController();
    const left = semaphore.acquire(abort.signal).catch(() => order.push("left"));
    const second = semaphore.acquire(never).then((permit) => {
      order.push("second");
      permit[Symbol.dispose]();
    });
    abort.abort(new Error("gone"));
    await left;
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await second;
    (await semaphore.acquire(never))[Symbol.dispose]();
    expect(order).toEqual(["left", "second"]);
  });
});

test("progress tells bytes, rate and time left", () => {
  let nowMs = 0;
  const progress = new Progress("m", () => nowMs);
  progress.expect("a", 10_000);
  progress.expect("b", null);
  expect(progress.snapshot()).toMatchObject({ state: "waiting", eta_s: null, bytes: 0 });
  progress.file("a", "downloading", 2000);
  for (let i = 0; i < 8; i += 1) {
    progress.received("a", 500);
    nowMs += 500;
  }
  const now = progress.snapshot();
  expect(now).toMatchObject({ state: "downloading", file: "a", bytes: 6000, total_bytes: 10_000 });
  expect(now.rate_bytes_per_s).toBe(875);
  expect(now.eta_s).toBe(5);
  progress.file("a", "done", 10_000);
  progress.file("b", "verifying", 5);
  expect(progress.snapshot().state).toBe("verifying");
  progress.end(null);
  expect(progress.snapshot()).toMatchObject({ state: "done", rate_bytes_per_s: 0, eta_s: 0 });
});
