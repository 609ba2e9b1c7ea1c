import { expect, test } from "bun:test";
import { loadConfig } from "../testkit/config.ts";
import { effectiveSettings } from "./effective.ts";
import { envName } from "./fields/field.ts";
import { FIELD_KEYS, fieldOf } from "./fields.ts";

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

const SECRETS = FIELD_KEYS.map(fieldOf).filter(({ secret }) => secret);

test.each(SECRETS.map((field) => [field.name, field] as const))(
  "%s is hidden, wherever it comes from",
  (name, field) => {
    const value = "sk-never-shown";
    for (const sources of [{ env: { [envName(field)]: value } }, { config: { [name]: value } }]) {
      const rows = effectiveSettings(loadConfig(sources));
      expect(rows.find((row) => row.name === name)).toMatchObject({ value: "***", text: "***" });
      expect(JSON.stringify(rows)).not.toContain(value);
    }
  },
);

test("secrets within other settings are hidden, too", () => {
  const config = {
    ...{ http_proxy: "http://me:sk-1@proxy:1", https_proxy: "http://me:sk-2@proxy:1" },
    endpoints: [{ name: "a", url: "http://u:sk-3@a", api_key: "sk-4" }],
    workers: [{ name: "w", url: "http://w", api_key: "sk-5" }],
    providers: [{ name: "p", url: "https://sk-6@p" }],
    ...{ oidc_issuer: "https://me:sk-7@issuer", oidc_client_id: "llmlb" },
    ...{ hf_endpoint: "https://me:sk-8@mirror", openai_base_url: "https://sk-9@cloud" },
    engine_args: ["--hf-token", "sk-10", "-hft", "sk-11", "--hf-token=sk-12", "--temp", "0"],
    models: [{ id: "m", path: "/m.gguf", args: ["--hf-token", "sk-13"] }],
    ...{ join: "http://sk-14@balancer", advertise: "http://sk-15@node" },
    update_feed: "https://me:sk-16@releases/feed.json",
  };
  const text = JSON.stringify(effectiveSettings(loadConfig({ config })));
  expect(text).not.toContain("sk-");
  expect(text).toContain("--hf-token *** -hft *** --hf-token=*** --temp 0");
  expect(text).toContain("http://***@proxy:1");
});
