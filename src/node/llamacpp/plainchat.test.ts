import { expect, test } from "bun:test";
import fc from "fast-check";
import { adaptedChat } from "./enginebody.ts";
import { isPlainChat } from "./plainchat.ts";

const HELLO = { role: "user", content: "Hello" };
const SYSTEM = { role: "system", content: "Be short." };

test.each([
  { messages: [HELLO] },
  { messages: [SYSTEM, HELLO, { role: "assistant", content: "" }, HELLO] },
  { model: "a", messages: [HELLO], stream: true, max_tokens: 5, temperature: 0, seed: 7 },
])("a chat of texts is plain: %j", (chat) => {
  expect(isPlainChat(chat)).toBe(true);
});

test.each([
  {},
  { messages: "Hello" },
  { messages: [null] },
  { messages: [HELLO, SYSTEM] },
  { messages: [{ role: "developer", content: "Be short." }] },
  { messages: [{ role: "tool", content: "7", tool_call_id: null }] },
  { messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }] },
  { messages: [HELLO], stop: "" },
  { messages: [HELLO], tool_choice: "required" },
  { messages: [HELLO], n: 1000 },
  { messages: [HELLO], grammar: "root ::= root" },
])("a chat that has to be looked at is not plain: %j", (chat) => {
  expect(isPlainChat(chat)).toBe(false);
});

const role = fc.constantFrom("system", "developer", "user", "assistant", "tool", 7);
const content = fc.oneof(fc.string(), fc.constant(null), fc.constant([{ type: "text" }]));
const message = fc.record({ role, content, name: fc.constant(null) }, { requiredKeys: ["role"] });
const names = ["model", "seed", "max_tokens", "stop", "tools", "tool_choice", "temperature", "n"];
const value = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.constant([""]));

test("a plain chat is what an engine gets", () => {
  const fields = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 });
  let plain = 0;
  const property = fc.property(fields, fc.array(message, { maxLength: 3 }), (others, messages) => {
    const chat: Record<string, unknown> = { ...others, messages };
    if (!isPlainChat(chat)) return;
    plain += 1;
    expect(adaptedChat(chat)).toBe(chat);
  });
  fc.assert(property, { numRuns: 2000 });
  expect(plain).toBeGreaterThan(0);
});
