import { expect, test } from "bun:test";
import { loadConfig } from "../testkit/config.ts";
import { effectiveSettings } from "./effective.ts";

test("effectiveSettings never shows a key", () => {
  const env = { OPENAI_API_KEY: "sk-secret1", GEMINI_API_KEY: "sk-secret2" };
  const flags = {
    endpoints: ["http://sk-secret@a"],
    models: ["/m.gguf"],
    providers: ["groq=https://sk-secret3@h"],
    fallbacks: ["*=groq:x"],
  };
  const loaded = loadConfig({ flags, env });
  const rows = effectiveSettings(loaded);
  expect(rows.find(({ name }) => name === "openai_api_key")?.text).toBe("***");
  expect(rows.find(({ name }) => name === "anthropic_api_key")?.text).toBe("none");
  expect(rows.find(({ name }) => name === "providers")?.text).toBe("groq = https://h (key ***)");
  expect(rows.find(({ name }) => name === "fallbacks")?.text).toBe("* = groq:x");
  expect(JSON.stringify(rows)).not.toContain("sk-secret");
  expect(rows.find(({ name }) => name === "endpoints")?.text).toBe("a = http://a (key ***)");
  expect(rows.find(({ name }) => name === "body_limit")?.text).toBe("64 MiB");
  expect(rows.find(({ name }) => name === "first_byte_timeout")?.text).toBe("10 min");
});
