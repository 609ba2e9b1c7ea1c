import { expect, test } from "bun:test";
import { withoutUnsignedThoughts } from "./signedthoughts.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const sent = (text: string) => new TextDecoder().decode(withoutUnsignedThoughts(encode(text)));
const thinking = (signature: string | null) => ({ type: "thinking", thinking: "hm", signature });
const text = { type: "text", text: "y" };
const user = { role: "user", content: "x" };
const assistant = (...content: object[]) => ({ role: "assistant", content });
const bodyOf = (...messages: object[]) => JSON.stringify({ model: "m", messages, max_tokens: 5 });

test("thoughts that nobody signed are left out, and what has nothing else with them", () => {
  const before = [user, assistant(thinking(""), text), user, assistant(thinking(null)), user];
  const after = [user, assistant(text), user, user];
  expect(sent(bodyOf(...before))).toBe(bodyOf(...after));
});

test("signed ones stay, and all digits of the rest", () => {
  const use = { type: "tool_use", id: "t", name: "f", input: { id: 1 } };
  const big = (body: string) => body.replace('"id":1', '"id":9007199254740993');
  const before = bodyOf(user, assistant(thinking("s"), thinking(""), use));
  expect(sent(big(before))).toBe(big(bodyOf(user, assistant(thinking("s"), use))));
});

test("without any, the bytes are those that came", () => {
  for (const body of [bodyOf(user), bodyOf(user, assistant(thinking("s"), text)), "{", '{"a":1}']) {
    const bytes = encode(body);
    expect(withoutUnsignedThoughts(bytes)).toBe(bytes);
  }
  const said = bodyOf({ role: "user", content: '{"signature": ""}' });
  expect(sent(said)).toBe(said);
});
