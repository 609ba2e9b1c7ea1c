import { describe, expect, test } from "bun:test";
import { anthropicMessagesOverChat } from "../client/anthropic/translation.ts";
import { ollamaChatOverChat } from "../client/ollama/translation.ts";
import { responsesOverChat } from "../client/responses/translation.ts";
import { withOneSystemMessage } from "./systemmessage.ts";

const user = (content: string) => ({ role: "user" as const, content });
const system = (content: string) => ({ role: "system" as const, content });
const developer = (content: string) => ({ role: "developer" as const, content });

describe("one system message", () => {
  test("stands first and has what all of them say", () => {
    const messages = [user("x"), system("a"), user("y"), developer("b")];
    expect(withOneSystemMessage(messages)).toEqual([system("a\nb"), user("x"), user("y")]);
  });

  test("is not there where nobody says anything as the system", () => {
    expect(withOneSystemMessage([user("x")])).toEqual([user("x")]);
  });

  test("does not have what alone answers the model: the user says that", () => {
    const assistant = (content: string) => ({ role: "assistant" as const, content });
    const begun = [user("x"), assistant("1"), system("go on"), developer("now")];
    const told = [user("x"), assistant("1"), user("go on\nnow")];
    expect(withOneSystemMessage(begun)).toEqual(told);
    const later = [assistant("2"), system("a"), user("y")];
    expect(withOneSystemMessage([...begun, ...later])).toEqual([
      ...[system("a"), ...told, assistant("2"), user("y")],
    ]);
  });

  test("has no empty lines for empty ones", () => {
    const messages = [system(""), system("a"), system("")];
    expect(withOneSystemMessage(messages)).toEqual([system("a")]);
  });

  test("has parts where one of them has", () => {
    const image = { type: "image_url" as const, image_url: { url: "data:,", detail: undefined } };
    const content = [{ type: "text" as const, text: "b" }, image];
    expect(withOneSystemMessage([system("a"), { role: "system", content }])).toEqual([
      { role: "system", content: [{ type: "text", text: "a" }, ...content] },
    ]);
  });
});

const turns = [user("x"), system("b"), user("y"), system("c")];
const input = [user("x"), developer("b"), user("y"), system("c")];
test.each([
  ["responses", responsesOverChat({ model: "m", instructions: "a", input })],
  ["messages", anthropicMessagesOverChat({ model: "m", system: "a", messages: turns })],
  ["ollama", ollamaChatOverChat({ model: "m", messages: [system("a"), ...turns] })],
])("%s have one in a chat, and it is the first", (_, { body }) => {
  expect(body.messages).toEqual([system("a\nb\nc"), user("x"), user("y")]);
});
