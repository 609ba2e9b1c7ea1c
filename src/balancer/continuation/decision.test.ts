import { describe, expect, test } from "bun:test";
import type { EndpointKind } from "../../wire/endpoint.ts";
import { type BrokenStream, continuationWay } from "./decision.ts";
import { Transcript } from "./transcript.ts";

const messages = [{ role: "user", content: "hi" }];
const KINDS: (EndpointKind | null)[] = [
  ...([
    "llmlb",
    "llama_server",
    "vllm",
    "sglang",
    "ollama",
    "lm_studio",
    "openai_compatible",
  ] as const),
  null,
];

interface Case {
  format?: BrokenStream["format"];
  body?: object;
  deltas?: object[];
  finish?: string;
}

/** The ways of all kinds, "-" where there is none. */
function ways({ format = "chat", body = {}, deltas = [{ content: "Hel" }], finish }: Case) {
  const transcript = new Transcript();
  for (const delta of deltas) transcript.add({ id: "c", choices: [{ index: 0, delta }] });
  if (finish !== undefined) transcript.add({ choices: [{ index: 0, finish_reason: finish }] });
  const asked = format === "chat" ? { messages } : { prompt: "Once" };
  const stream = { format, body: { ...asked, ...body }, transcript };
  return KINDS.map((kind) => continuationWay(stream, kind) ?? "-").join(" ");
}

const NONE = "- - - - - - - -";
const all = (way: string) => KINDS.map(() => way).join(" ");

describe("a stream goes on", () => {
  test.each<[string, Case, string]>([
    ["with text", {}, "final_message final_message final_message last_message - - -"],
    [
      "with tools",
      { body: { tools: [{}], tool_choice: "auto" } },
      "final_message final_message final_message last_message - - -",
    ],
    [
      "in thoughts",
      { deltas: [{ reasoning_content: "Hm" }] },
      "final_message final_message - - - - -",
    ],
    ["with nothing but a role", { deltas: [{ role: "assistant" }] }, all("anew")],
    [
      "with its end",
      { finish: "stop" },
      "final_message final_message final_message last_message anew anew anew",
    ],
    ["of completions", { format: "generate" }, all("prompt")],
  ])("%s", (_, given, expected) => {
    expect(ways(given)).toBe(expected);
  });
});

test.each<[string, Case]>([
  ["several choices", { body: { n: 2 } }],
  ["a call", { deltas: [{ content: "a" }, { tool_calls: [{ index: 0 }] }] }],
  ["a refusal", { deltas: [{ refusal: "No" }] }],
  ["a schema", { body: { response_format: { type: "json_schema" } } }],
  ["Ollama's schema", { body: { format: { type: "object" } } }],
  ["a grammar", { body: { grammar: "root ::= x" } }],
  ["a call that must be", { body: { tool_choice: "required" } }],
  ["a completion that repeats its prompt", { format: "generate", body: { echo: true } }],
  ["a completion of tokens", { format: "generate", body: { prompt: [1, 2] } }],
  ["a call that has ended", { deltas: [{ tool_calls: [{}] }], finish: "tool_calls" }],
])("nobody goes on with %s", (_, given) => {
  expect(ways(given)).toBe(NONE);
});
