import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { loadConfig } from "../testkit/config.ts";
import { configSchema } from "./configschema.ts";
import { ConfigError } from "./error.ts";
import { FIELD_KEYS, fieldOf } from "./fields.ts";
import { shapeOf } from "./values/schema.ts";

const schema = z.fromJSONSchema(configSchema() as Parameters<typeof z.fromJSONSchema>[0]);
const isAllowed = (config: unknown) => schema.safeParse(config).success;

function isRead(config: unknown): boolean {
  try {
    loadConfig({ config });
    return true;
  } catch (cause) {
    if (cause instanceof ConfigError) return false;
    throw cause;
  }
}

test("every setting of config.json says what it holds and means", () => {
  const { properties } = configSchema() as { properties: Record<string, { description: string }> };
  for (const field of FIELD_KEYS.map(fieldOf)) {
    expect([field.name, field.name in properties]).toEqual([field.name, field.notInFile !== true]);
    if (field.notInFile) continue;
    expect(properties[field.name]?.description).toStartWith(`${field.help}.`);
    expect([field.name, Object.keys(shapeOf(field.schema("/"))).length]).not.toEqual([
      field.name,
      0,
    ]);
  }
});

describe("what is read is what an editor allows:", () => {
  const good: unknown[] = [
    {},
    { $schema: "./config.schema.json", port: 8080 },
    { port: "8080", mode: "balancer", insecure: true, access_log: "off" },
    { idle_timeout: 7, drain_timeout: "500ms", body_limit: "1.5 MiB", history_size: 2e9 },
    { keep_alive: "1h30m", fit: null, models_memory: "none", models_max: 3, prompt_disk: "20GiB" },
    { models: ["a.gguf", "b=c.gguf"] },
    { models: "a.gguf" },
    { models: { q: { path: "q.gguf", ctx_size: 8192, lora: ["a"] }, r: "r.gguf" } },
    { models: [{ id: "x", file: "x.gguf", mmproj: "p.gguf", temp: 0.2 }] },
    { endpoints: ["http://a", "b=http://b", { name: "c", url: "http://c", api_key: "k" }] },
    { endpoints: "http://a", workers: { w: "http://w", v: { url: "http://v" } } },
    { aliases: ["a=b", { name: "c", models: ["d"] }], fallbacks: ["*=openai:gpt-4o"] },
    { fallbacks: [{ model: "m", to: "openai:x" }], providers: [{ name: "p", url: "https://p" }] },
    { allowed_hosts: ["a.example"], allowed_origins: "local", trusted_proxies: ["10.0.0.0/8"] },
    { engine_args: ["-c", "1"], preload: ["a"], proxy_bypass: "a b", http_proxy: "p:1" },
    { log_level: "debug", strategy: "latency", hf_endpoint: "http://hub", tls_cert: "c.pem" },
  ];
  test.each(good.map((one) => [JSON.stringify(one)]))("%s", (text) => {
    const config = JSON.parse(text);
    expect([isRead(config), isAllowed(config)]).toEqual([true, true]);
  });

  const bad: unknown[] = [
    { prot: 1 },
    { port: 70000 },
    { port: true },
    { log_level: "loud" },
    { idle_timeout: "soon-ish" },
    { endpoints: [{ name: "a" }] },
    { endpoints: [{ url: "http://a", key: "k" }] },
    { aliases: [{ name: "a" }] },
    { home: "/x" },
    { models: 3 },
  ];
  test.each(bad.map((one) => [JSON.stringify(one)]))("not %s", (text) => {
    const config = JSON.parse(text);
    expect([isRead(config), isAllowed(config)]).toEqual([false, false]);
  });
});
