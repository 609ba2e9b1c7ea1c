import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { TestNode } from "../../testkit/node.ts";
import { withOneSystem } from "./systemmessage.ts";

const user = { role: "user", content: "x" };
const system = (content: unknown) => ({ role: "system", content });

describe("what the system says in a chat", () => {
  test.each([
    [[user]],
    [[system("a"), user]],
    [[system([{ type: "text", text: "a" }]), user]],
    ["x"],
    // The engine says what is wrong with these.
    [[system("a"), system(null), user]],
    [[system("a"), system([7]), user]],
    [[system("a"), user, system("b"), 7]],
  ])("stays as it is: %j", (messages) => {
    const chat = { model: "m", messages };
    expect(withOneSystem(chat)).toBe(chat);
  });

  test("is one message in front, and all else stays", () => {
    const call = { role: "assistant", content: null, tool_calls: [{ id: "c" }] };
    const result = { role: "tool", tool_call_id: "c", content: "1", name: "f" };
    const messages = [system("a"), user, call, result, { role: "developer", content: "b" }, user];
    expect(withOneSystem({ model: "m", top_k: 1, messages })).toEqual({
      ...{ model: "m", top_k: 1 },
      messages: [system("a\nb"), user, call, result, user],
    });
  });

  test("is what a developer says alone", () => {
    const messages = [{ role: "developer", content: "a" }, user];
    expect(withOneSystem({ messages })).toEqual({ messages: [system("a"), user] });
  });
});

describe("a node", () => {
  let host: TestNode;
  beforeAll(() => {
    host = new TestNode(["chat"]);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const DIGITS = "12345678901234567890";
  const textOf = (messages: object[]) =>
    JSON.stringify({ model: "chat", messages }).replace('"BIG"', DIGITS);

  const reached = async (body: string) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${host.url}/v1/chat/completions`, {
      method: "POST",
      body,
      headers,
    });
    return ((await answer.json()) as { body: string }).body;
  };

  test("gives an engine one system message, with all digits of what it carries", async () => {
    const big = { ...user, extra: "BIG" };
    const came = textOf([system("a"), big, system("b"), user]);
    expect(await reached(came)).toBe(textOf([system("a\nb"), big, user]));
  });

  test("gives an engine the bytes that came where there is nothing to join", async () => {
    const came = `${textOf([system("a"), { ...user, extra: "BIG" }])}  `;
    expect(await reached(came)).toBe(came);
  });
});
