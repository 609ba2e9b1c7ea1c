import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Flags, loadSettings } from "./load.ts";

function allowed(given: { flags?: Flags; env?: string; config?: unknown }) {
  const home = mkdtempSync(join(tmpdir(), "llmlb-hosts-"));
  try {
    const config = { allowed_hosts: given.config };
    if (given.config !== undefined)
      writeFileSync(join(home, "config.json"), JSON.stringify(config));
    const env = { LLMLB_HOME: home, ...(given.env && { LLMLB_ALLOWED_HOSTS: given.env }) };
    return loadSettings({ flags: given.flags ?? {}, env }).settings.allowedHosts;
  } finally {
    rmSync(home, { recursive: true });
  }
}

test("allowed hosts come from all places, as lists or with commas", () => {
  const expected = ["llm.example", ".a.example", "*.b.example", "my_service", "*"];
  const list = ["LLM.example.", ".a.example", "*.B.example", "my_service", "*"];
  expect(allowed({ flags: { allowedHosts: list.join() } })).toEqual(expected);
  expect(allowed({ env: list.join(", ") })).toEqual(expected);
  expect(allowed({ config: list })).toEqual(expected);
  expect(allowed({ config: "llm.example" })).toEqual(["llm.example"]);
  expect(allowed({ config: [] })).toEqual([]);
  expect(allowed({ env: "bücher.example,10.0.0.5,::1" })).toEqual([
    ...["xn--bcher-kva.example", "10.0.0.5", "::1"],
  ]);
});

test.each([
  ...["http://llm.example", "llm.example:80", "llm.example/v1", "a b", "**.example", "a.*.example"],
  ...["a..example", "*.", ".", "*example", "%61.example", "[::1]", `${"a.".repeat(130)}example`],
])("%p is no allowed host", (name) => {
  const message = "must be host names without ports";
  expect(() => allowed({ flags: { allowedHosts: `ok.example,${name}` } })).toThrow(message);
});

test("what is wrong with a list is named by the item and where it stands", () => {
  expect(() => allowed({ env: "ok.example,a:80" })).toThrow("LLMLB_ALLOWED_HOSTS=a:80: must be");
  expect(() => allowed({ config: ["ok.example", 7] })).toThrow("config.json: allowed_hosts = ");
  expect(() => allowed({ config: { name: "x" } })).toThrow("must be host names");
  expect(() => allowed({ config: Array(1001).fill("a.example") })).toThrow("must be host names");
});
