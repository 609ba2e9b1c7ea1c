import { expect, test } from "bun:test";
import { loadConfig } from "../../testkit/config.ts";
import type { FlagValues } from "../precedence.ts";

function allowed({
  flags = {},
  env,
  config,
}: {
  flags?: FlagValues;
  env?: string;
  config?: unknown;
}) {
  const variables = env === undefined ? {} : { LLMLB_ALLOWED_HOSTS: env };
  const file = config === undefined ? {} : { allowed_hosts: config };
  return loadConfig({ flags, env: variables, config: file }).settings.allowedHosts;
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
  expect(() => allowed({ config: ["ok.example", 7] })).toThrow(
    "config.json:1:18: allowed_hosts = ",
  );
  expect(() => allowed({ config: { name: "x" } })).toThrow("must be host names");
  expect(() => allowed({ config: Array(1001).fill("a.example") })).toThrow("must be host names");
});
