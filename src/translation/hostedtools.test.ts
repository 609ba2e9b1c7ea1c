import { expect, test } from "bun:test";
import { anthropicMessagesOverChat } from "./client/anthropic/translation.ts";
import { ollamaChatOverChat } from "./client/ollama/translation.ts";
import { responsesOverChat } from "./client/responses/translation.ts";
import { chatOverAnthropic } from "./provider/anthropic/translation.ts";
import { chatOverGoogle } from "./provider/google/translation.ts";

const messages = [{ role: "user", content: "x" }];
const chatFunction = { type: "function", function: { name: "f" } };
const hosted = { type: "web_search_20250305", name: "web_search" };

test.each<[string, (request: object) => { body: object }, object]>([
  ["responses", responsesOverChat, { type: "function", name: "f" }],
  ["messages", anthropicMessagesOverChat, { name: "f" }],
  ["ollama", ollamaChatOverChat, chatFunction],
  ["chats over Anthropic", chatOverAnthropic, chatFunction],
  ["chats over Google", chatOverGoogle, chatFunction],
])("%s have no tools that one cloud runs, where there are functions", (_, put, own) => {
  const request = { model: "m", messages, input: "x" };
  const sent = put({ ...request, tools: [hosted, own] }).body;
  expect(sent).toEqual(put({ ...request, tools: [own] }).body);
  expect(sent).toHaveProperty("tools");
  expect(() => put({ ...request, tools: [hosted] })).toThrow("tools.0");
});
