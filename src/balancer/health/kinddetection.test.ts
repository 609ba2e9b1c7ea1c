import { expect, test } from "bun:test";
import type { JsonAnswer } from "../upstream/jsonclient.ts";
import { kindOf, type ServerAnswers } from "./kinddetection.ts";

const NOT_HERE: JsonAnswer = { ok: false, failure: "status", reason: "404", latencyMs: 1 };

function answer(json: unknown, server = ""): JsonAnswer {
  return { ok: true, json, text: typeof json === "string" ? json : "", server, latencyMs: 1 };
}

function answers(partial: Partial<ServerAnswers>): ServerAnswers {
  const nothing = { lmStudio: NOT_HERE, root: NOT_HERE, ollama: NOT_HERE, vllm: NOT_HERE };
  return {
    system: undefined,
    models: answer({ data: [] }),
    ...nothing,
    props: NOT_HERE,
    ...partial,
  };
}

const list = (owner: string, more: object = {}) =>
  answer({ object: "list", data: [{ id: "m", owned_by: owner, ...more }] });
const version = answer({ version: "0.9" });

test.each<[string, Partial<ServerAnswers>, string]>([
  ["a version of llmlb", { system: { llmlb_version: "1" }, models: list("llamacpp") }, "llmlb"],
  [
    "a balancer's version beside Ollama's",
    {
      models: list("llamacpp"),
      root: answer("Ollama is running"),
      ollama: answer({ version: "0.13.0", llmlb_version: "1" }),
    },
    "llmlb",
  ],
  [
    "the owner llamacpp",
    { models: list("llamacpp"), root: answer("Ollama is running") },
    "llama_server",
  ],
  ["the server llama.cpp", { models: answer({ data: [] }, "llama.cpp") }, "llama_server"],
  ["llama-server's /props", { props: answer({ default_generation_settings: {} }) }, "llama_server"],
  [
    "LM Studio's list",
    { lmStudio: answer({ models: [{ key: "k", publisher: "p" }] }) },
    "lm_studio",
  ],
  ["the owner organization_owner", { models: list("organization_owner") }, "lm_studio"],
  ["the words of Ollama", { root: answer("Ollama is running"), ollama: version }, "ollama"],
  ["Ollama's owner and version", { models: list("library"), ollama: version }, "ollama"],
  ["the owner vllm", { models: list("vllm"), vllm: version }, "vllm"],
  ["the owner sglang", { models: list("sglang", { max_model_len: 9 }), vllm: version }, "sglang"],
  ["a length of vLLM", { models: list("me", { max_model_len: 9 }), vllm: version }, "vllm"],
  ["nothing special", { root: answer("hello"), vllm: version }, "openai_compatible"],
  [
    "200 to everything",
    { lmStudio: answer({ error: "x" }), props: answer({}) },
    "openai_compatible",
  ],
])("%s makes it %s", (_, partial, kind) => {
  expect(kindOf(answers(partial))).toBe(kind as ReturnType<typeof kindOf>);
});
