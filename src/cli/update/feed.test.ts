import { describe, expect, test } from "bun:test";
import { newReleaseKey, signFeed } from "../../../scripts/feed/signing.ts";
import { chooseUpdate } from "./choice.ts";
import { type Feed, openFeed, type Release } from "./feed.ts";

const key = newReleaseKey();
const other = newReleaseKey();
const FILE = { platform: "linux-x64", url: "llmlb", size_bytes: 1, sha256: "0".repeat(64) };
const RELEASE: Release = {
  ...{ format: 1, version: "0.2.0", released_at: "2026-01-31", files: [FILE] },
};
const feed = signFeed(RELEASE, [key.privateKey]);

function changed(change: (feed: Feed) => unknown): string {
  return JSON.stringify(change(JSON.parse(feed) as Feed));
}

describe("a feed", () => {
  test("is what its signed text says, by any of the keys", () => {
    expect(openFeed(feed, [key.publicKey])).toEqual(RELEASE);
    const both = signFeed(RELEASE, [key.privateKey, other.privateKey]);
    expect(openFeed(both, [other.publicKey])).toEqual(RELEASE);
  });

  const forged: [string, string, string[]][] = [
    ["by another key", feed, [other.publicKey]],
    ["where no key is known", feed, []],
    [
      "that names a known key, but another has signed",
      changed(({ release, signatures }) => ({
        ...{ release },
        signatures: [
          {
            key: signatures[0]?.key,
            signature: (JSON.parse(signFeed(RELEASE, [other.privateKey])) as Feed).signatures[0]
              ?.signature,
          },
        ],
      })),
      [key.publicKey],
    ],
    [
      "whose text was changed",
      changed((one) => ({ ...one, release: one.release.replace("0.2.0", "0.9.0") })),
      [key.publicKey],
    ],
    [
      "with a space more",
      changed((one) => ({ ...one, release: `${one.release} ` })),
      [key.publicKey],
    ],
    [
      "whose signature is none",
      changed((one) => ({ ...one, signatures: [{ ...one.signatures[0], signature: "AA==" }] })),
      [key.publicKey],
    ],
  ];
  test.each(forged)("%s is refused", (_, text, keys) => {
    expect(() => openFeed(text, keys)).toThrow("not signed with a key that this llmlb knows");
  });

  test.each(["", "{}", "[]", '{"release": 1, "signatures": []}'])("is not %j", (text) => {
    expect(() => openFeed(text, [key.publicKey])).toThrow("it is no feed of llmlb");
  });

  test("that is signed but of another format is refused", () => {
    const later = signFeed({ ...RELEASE, format: 2 } as unknown as Release, [key.privateKey]);
    expect(() => openFeed(later, [key.publicKey])).toThrow("no release that this llmlb reads");
  });
});

test.each([
  ["0.2.0", "0.1.9", "linux-x64", "update"],
  ["0.10.0", "0.9.0", "linux-x64", "update"],
  ["0.2.0", "0.2.0-rc.1", "linux-x64", "update"],
  ["0.2.0", "0.2.0", "linux-x64", "current"],
  ["0.2.0", "0.3.0", "linux-x64", "older"],
  ["0.2.0-rc.1", "0.2.0", "linux-x64", "older"],
  ["0.2.0", "0.1.0", "darwin-arm64", "absent"],
])("%s for %s on %s: %s", (version, running, platform, kind) => {
  const choice = chooseUpdate({ version, files: [FILE] }, { version: running, platform });
  expect(choice.kind).toBe(kind as typeof choice.kind);
});

test("one with other things inside goes on as the same, never as the plain one", () => {
  const cuda = { ...FILE, platform: "linux-x64-cuda" };
  const running = { version: "0.1.0", platform: "linux-x64-cuda" };
  const chosen = chooseUpdate({ version: "0.2.0", files: [FILE, cuda] }, running);
  expect(chosen).toEqual({ kind: "update", file: cuda });
  expect(chooseUpdate({ version: "0.2.0", files: [FILE] }, running)).toEqual({ kind: "absent" });
});
