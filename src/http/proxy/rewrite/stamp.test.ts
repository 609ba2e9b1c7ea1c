import { expect, test } from "bun:test";
import { withFixedStampIn } from "./stamp.ts";

const LINE = "x-anthropic-billing-header: cc_version=2.1; cch=";
const written = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function fixed(text: string): string {
  return read(withFixedStampIn(written(text), JSON.parse(text).system));
}

test("only the stamp before the system text changes, whatever else says the same", () => {
  const body = (stamp: string) =>
    `{ "n":12345678901234567890, "messages":[{"role":"user","content":"${LINE}a1;"}],
  "system": [ {"type":"text","text":"${LINE}${stamp}; é"}, {"type":"text","text":"cch=1"} ] }`;
  expect(fixed(body("a5145"))).toBe(body("-"));
  expect(fixed(`{"system":"${LINE}0b1;\\nYou are it."}`)).toBe(
    `{"system":"${LINE}-;\\nYou are it."}`,
  );
});

test.each([
  ["{}"],
  ['{"system":null}'],
  ['{"system":[]}'],
  ['{"system":[7]}'],
  ['{"system":"hi, cch=1"}'],
  ['{"system":[{"type":"text","text":"hi"}]}'],
])("a body without one is the same object: %s", (text) => {
  const body = written(text);
  expect(withFixedStampIn(body, JSON.parse(text).system)).toBe(body);
});
