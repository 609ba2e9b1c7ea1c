import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CHUNKS_MAX, fingerprint } from "./prompt.ts";

/** Chunks that two fingerprints have in common from the beginning. */
function shared(a: Float64Array, b: Float64Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) if (a[i] !== b[i]) return i;
  return length;
}

const words = (seed: string, chars: number) => `${seed} lorem ipsum `.repeat(chars).slice(0, chars);
const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });

/** A chat whose k-th body has the first k exchanges. */
function turns(count: number, chars: number): object[] {
  const messages: object[] = [{ role: "system", content: words("system", 900) }];
  return Array.from({ length: count }, (_, i) => {
    messages.push(user(words(`question ${i}`, chars)));
    const body = { model: "m", messages: [...messages] };
    messages.push(assistant(words(`answer ${i}`, chars)));
    return body;
  });
}

test("each turn of a chat extends the fingerprint of the turn before", () => {
  const prints = turns(12, 700).map((body) => fingerprint("m", body));
  for (const [i, print] of prints.entries()) {
    const next = prints[i + 1] ?? print;
    expect(shared(print, next)).toBe(print.length);
    expect(next.length).toBeGreaterThanOrEqual(print.length);
  }
  expect(prints[0]?.length).toBeGreaterThan(3);
  expect(prints.at(-1)?.length).toBeGreaterThan(prints[0]?.length ?? 0);
});

test("prompts are alike up to their first difference and never after", () => {
  const text = fc.string({ minLength: 0, maxLength: 3000, unit: fc.constantFrom("a", "b", "é") });
  fc.assert(
    fc.property(text, text, text, (head, left, right) => {
      const start = words("head", 400) + head;
      const a = fingerprint("m", { prompt: `${start}l${left}` });
      const b = fingerprint("m", { prompt: `${start}r${right}` });
      const common = shared(a, b);
      // A chunk is at most an eighth of what lies before it, or 256 characters.
      const least = fingerprint("m", { prompt: start.slice(0, -1) }).length;
      expect(common).toBeGreaterThanOrEqual(least);
      for (let i = common; i < Math.min(a.length, b.length); i += 1) expect(a[i]).not.toBe(b[i]);
    }),
    { numRuns: 200 },
  );
});

describe("what says the same has the same fingerprint", () => {
  const text = words("hello", 600);
  const tools = [{ type: "function", function: { name: "f", parameters: { a: 1 } } }];
  const plain = fingerprint("m", { tools, messages: [user(text), assistant("ok")] });
  const others: [string, object][] = [
    ["with fields in another order", { messages: [user(text), assistant("ok")], tools }],
    [
      "with content in parts",
      { tools, messages: [user([{ type: "text", text }]), assistant("ok")] },
    ],
    [
      "with a mark where to cache",
      {
        tools: [{ ...tools[0], cache_control: { type: "ephemeral" } }],
        messages: [user([{ type: "text", text, cache_control: { type: "ephemeral" } }])],
      },
    ],
    ["with other parameters", { temperature: 1, tools, messages: [user(text)], stream: true }],
  ];
  test.each(others)("%s", (_, body) => {
    expect(fingerprint("m", body)).toEqual(plain);
  });

  test("but another model's, system's or tool's differs from the first chunk on", () => {
    const messages = [user(text)];
    const bodies = [{ messages }, { system: "You are.", messages }, { tools, messages }];
    const prints = bodies.map((body) => fingerprint("m", body));
    prints.push(fingerprint("n", { messages }));
    const firsts = new Set(prints.map((print) => print[0]));
    expect(firsts.size).toBe(4);
  });
});

test.each<[string, (stamp: string) => object]>([
  ["messages", (text) => ({ system: [{ type: "text", text }], messages: [user(words("x", 900))] })],
  ["chat completions", (content) => ({ messages: [{ role: "system", content }, user("x")] })],
])("a stamp of the client's in %s makes no difference", (_, body) => {
  const stamped = (stamp: string) =>
    body(`x-anthropic-billing-header: cc_version=2.1; cch=${stamp};\n${words("s", 900)}`);
  const print = fingerprint("m", stamped("a5145"));
  expect(print.length).toBeGreaterThan(2);
  expect(fingerprint("m", stamped("0b1c2d"))).toEqual(print);
});

test.each<[string, object]>([
  ["completions", { prompt: words("once", 600) }],
  ["responses", { instructions: "Be brief.", input: words("once", 600) }],
  [
    "Anthropic",
    { system: [{ type: "text", text: words("s", 300) }], messages: [user("hi there")] },
  ],
])("prompts of %s have fingerprints", (_, body) => {
  expect(fingerprint("m", body).length).toBeGreaterThan(0);
});

test("short prompts have none, strange ones do no harm", () => {
  expect(fingerprint("m", { messages: [user("hi")] })).toHaveLength(0);
  for (const messages of [null, 7, true, {}, [null, [[]], { content: null }]]) {
    expect(fingerprint("m", { messages })).toHaveLength(0);
  }
});

test("the number of chunks grows slowly and has a limit", () => {
  const count = (chars: number) => fingerprint("m", { prompt: words("w", chars) }).length;
  expect([count(255), count(256), count(2560)]).toEqual([0, 1, 9]);
  expect(count(100_000)).toBeLessThan(45);
  expect(count(2_000_000)).toBe(CHUNKS_MAX);
});
