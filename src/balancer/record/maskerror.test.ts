import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mask } from "./mask.ts";
import { maskError } from "./maskerror.ts";

const openai = (message: string) => JSON.stringify({ error: { message, type: "server_error" } });

describe("the message of an error", () => {
  test("stays, in the words of any API", () => {
    const why = "CUDA error: out of memory, the request's context doesn't fit";
    const answers = [{ error: { message: why, code: 500 } }, { error: why }, { message: why }];
    for (const answer of answers) {
      const text = JSON.stringify(answer);
      expect(maskError(text)).toBe(text);
    }
  });

  test("loses what it quotes", () => {
    const said = maskError(openai("cannot parse 'my secret' at 'role'; input was \"my secret"));
    expect(said).not.toContain("secret");
    expect(said).toContain("cannot parse '<");
    expect(said).toContain('"type":"server_error"');
    expect(maskError(openai("unexpected input `my secret"))).not.toContain("secret");
  });

  test("is short, and stays as it is where it is masked again", () => {
    expect(JSON.parse(maskError(openai("x".repeat(5000)))).error.message).toHaveLength(300);
    expect(maskError(openai("x".repeat(9000)))).toBe(mask(openai("x".repeat(9000))));
    const once = maskError(openai("bad value 'my secret' of `role`"));
    expect(maskError(once)).toBe(once);
  });
});

test("all else is masked as elsewhere", () => {
  const texts = [
    "out of memory",
    'data: {"error":{"message":"x"}}\n\n',
    "[1,2]",
    '{"error":{"mess',
    "{}",
    "null",
    '{"error":null}',
  ];
  for (const text of texts) expect(maskError(text)).toBe(mask(text));
  const more = JSON.stringify({ error: { message: "bad", failed_generation: "my secret" } });
  expect(maskError(more)).toBe('{"error":{"message":"bad","failed_generation":"<9 characters>"}}');
  fc.assert(fc.property(fc.json(), (text) => typeof maskError(text) === "string"));
});
