import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effectiveSettings } from "./effective.ts";
import { ConfigError } from "./error.ts";
import { FIELD_KEYS, FIELDS, flagName } from "./fields.ts";
import { type Flags, loadSettings } from "./load.ts";

const homes: string[] = [];
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** A data folder with this config.json. */
function homeWith(config?: unknown): string {
  const home = mkdtempSync(join(tmpdir(), "llmlb-config-"));
  homes.push(home);
  const text = typeof config === "string" ? config : JSON.stringify(config);
  if (config !== undefined) writeFileSync(join(home, "config.json"), text);
  return home;
}

interface Case {
  flags?: Flags;
  env?: Record<string, string>;
  config?: unknown;
}

function load({ flags = {}, env = {}, config }: Case) {
  const home = homeWith(config);
  return { home, ...loadSettings({ flags, env: { LLMLB_HOME: home, ...env }, cwd: "/work dir" }) };
}

describe("loadSettings", () => {
  test("has the documented defaults", () => {
    const { settings, origins, home } = load({});
    expect(settings).toEqual({
      mode: "standalone",
      host: "127.0.0.1",
      allowedHosts: [],
      port: 32768,
      nodePort: 32769,
      home,
      logLevel: "info",
      insecure: false,
      join: null,
      token: null,
      name: null,
      advertise: null,
      endpoints: [],
      models: [],
      engineArgs: [],
      bodyLimitBytes: 67_108_864,
      privateMedia: false,
      strategy: "prefix",
      defaultSlots: 8,
      queueMax: 100,
      queueTimeoutMs: 60_000,
      firstByteTimeoutMs: 600_000,
      tryTimeoutMs: 120_000,
      idleTimeoutMs: 120_000,
      drainTimeoutMs: 30_000,
      healthIntervalMs: 30_000,
      healthTimeoutMs: 5000,
      hubUrl: "https://huggingface.co",
      hubToken: null,
      originAllowlist: ["huggingface.co/*", "*.huggingface.co/*", "hf.co/*", "*.hf.co/*"],
      modelsDir: null,
      maxDownloadRateBytes: 0,
      loadTimeoutMs: 600_000,
      historyBodies: "redacted",
      historyRetentionMs: 604_800_000,
      aliases: [],
      embeddingModel: "nomic-embed-text-v1.5",
      openaiApiKey: null,
      openaiBaseUrl: "https://api.openai.com",
      googleApiKey: null,
      googleBaseUrl: "https://generativelanguage.googleapis.com/v1beta",
      anthropicApiKey: null,
      anthropicBaseUrl: "https://api.anthropic.com",
      providers: [],
      fallbacks: [],
      httpProxy: null,
      httpsProxy: null,
      proxyBypass: [],
    });
    expect(origins.port).toEqual({ source: "default", name: "default" });
    expect(origins.home).toEqual({ source: "env", name: "LLMLB_HOME" });
    expect(load({ flags: { mode: "node" } }).settings.port).toBe(32769);
    expect(loadSettings({ flags: {}, env: {} }).settings.home).toEndWith(".llmlb");
  });

  test("takes flags before environment before file before default", () => {
    const given = { flags: { port: "1" }, env: { LLMLB_PORT: "2" }, config: { port: 3 } };
    const { flags, env, config } = given;
    expect(load(given).origins.port).toEqual({ source: "flag", name: "--port" });
    expect(load(given).settings.port).toBe(1);
    expect(load({ env, config }).settings.port).toBe(2);
    expect(load({ env, config }).origins.port.name).toBe("LLMLB_PORT");
    expect(load({ config }).settings.port).toBe(3);
    expect(load({ config }).origins.port.source).toBe("file");
    expect(load({ flags, config, env: { LLMLB_PORT: "" } }).settings.port).toBe(1);
    expect(load({ env: { LLMLB_PORT: "" } }).settings.port).toBe(32768);
  });

  const good: [string, Case, string, unknown][] = [
    ["a long duration", { config: { history_retention: "90d" } }, "historyRetentionMs", 7_776e6],
    ["a duration", { env: { LLMLB_DRAIN_TIMEOUT: "500ms" } }, "drainTimeoutMs", 500],
    ["bare seconds", { config: { idle_timeout: 7 } }, "idleTimeoutMs", 7000],
    ["minutes", { flags: { loadTimeoutMs: "2m" } }, "loadTimeoutMs", 120_000],
    ["a size", { flags: { bodyLimitBytes: "1.5 MiB" } }, "bodyLimitBytes", 1_572_864],
    ["a decimal size", { flags: { bodyLimitBytes: "2MB" } }, "bodyLimitBytes", 2_000_000],
    ["a word in capitals", { env: { LLMLB_LOG_LEVEL: "DEBUG" } }, "logLevel", "debug"],
    [
      "an alias",
      { flags: { aliases: ["fast=llama3:8b=meta/llama"] } },
      "aliases",
      [{ name: "fast", models: ["llama3:8b", "meta/llama"] }],
    ],
    [
      "an alias of the file",
      { config: { aliases: [{ name: "fast", models: ["a=b"] }] } },
      "aliases",
      [{ name: "fast", models: ["a=b"] }],
    ],
    ["a yes", { env: { LLMLB_INSECURE: "yes" } }, "insecure", true],
    ["a no", { env: { LLMLB_INSECURE: "0" } }, "insecure", false],
    [
      "engine words",
      { env: { LLMLB_ENGINE_ARGS: "-c 8192 -a 'b c'" } },
      "engineArgs",
      ["-c", "8192", "-a", "b c"],
    ],
    ["an engine list", { config: { engine_args: ["-c", "1"] } }, "engineArgs", ["-c", "1"]],
    ["no engine words", { flags: { engineArgs: [] } }, "engineArgs", []],
  ];
  test.each(good)("reads %s", (_name, given, key, expected) => {
    expect(load(given).settings).toHaveProperty(key, expected);
  });

  const bad: [string, Case, string][] = [
    [
      "port",
      { env: { LLMLB_PORT: "abc" } },
      "LLMLB_PORT=abc: must be a whole number from 0 to 65535",
    ],
    ["port", { flags: { port: "70000" } }, "--port 70000: must be a whole number from 0 to 65535"],
    ["port", { config: { port: "1x" } }, 'config.json: port = "1x": must be a whole number'],
    ["port", { flags: { port: "1.5" } }, "--port 1.5: must be"],
    ["time", { flags: { drainTimeoutMs: "soon" } }, "--drain-timeout soon: must be a time of at"],
    ["time", { flags: { idleTimeoutMs: "99d" } }, "--idle-timeout 99d: must be a time"],
    ["time", { config: { idle_timeout: -1 } }, "idle_timeout = -1: must be a time"],
    [
      "size",
      { flags: { bodyLimitBytes: "1" } },
      "--body-limit 1: must be a size of at least 1 KiB",
    ],
    ["mode", { flags: { mode: "router" } }, "--mode router: must be one of standalone, balancer"],
    ["level", { env: { LLMLB_LOG_LEVEL: "loud" } }, "LLMLB_LOG_LEVEL=loud: must be one of trace"],
    ["flag", { config: { insecure: "perhaps" } }, "must be true or false"],
    ["words", { env: { LLMLB_ENGINE_ARGS: "'open" } }, "LLMLB_ENGINE_ARGS='open: must be a list"],
    ["key", { config: { prot: 1 } }, 'config.json: unknown key "prot": did you mean "port"?'],
    ["key", { config: { "log-level": "info" } }, 'did you mean "log_level"?'],
    ["key", { config: { colour: 1 } }, 'unknown key "colour": the keys are mode, host'],
    ["key", { config: { home: "/x" } }, "home: cannot be set in this file, use --home"],
    ["JSON", { config: "{port: 1" }, "config.json: is not valid JSON: "],
    ["JSON", { config: [1] }, "config.json: must hold a JSON object"],
  ];
  test.each(bad)("refuses a wrong %s (case %#)", (_name, given, message) => {
    expect(() => load(given)).toThrow(ConfigError);
    expect(() => load(given)).toThrow(message);
  });

  test("names every field alike in all three places", () => {
    for (const key of FIELD_KEYS.filter((key) => key !== "engineArgs")) {
      const { name, repeatable } = FIELDS[key];
      const dashed = `--${name.replaceAll("_", "-")}`;
      expect(flagName(FIELDS[key])).toBe(
        repeatable && name !== "mmproj" ? dashed.replace(/(?<=as)es$|s$/, "") : dashed,
      );
    }
  });
});

describe("endpoints", () => {
  const urls: [string, object][] = [
    ["http://gpu1:8080", { name: "gpu1:8080", url: "http://gpu1:8080" }],
    ["http://gpu1:8080/v1/", { name: "gpu1:8080", url: "http://gpu1:8080" }],
    ["big=https://host/api/v1", { name: "big", url: "https://host/api" }],
    ["http://sk-1%2F@host", { name: "host", url: "http://host", apiKey: "sk-1/" }],
    ["http://user:pa%ss@host", { name: "host", url: "http://host", apiKey: "pa%ss" }],
  ];
  test.each(urls)("reads %s", (text, expected) => {
    expect(load({ flags: { endpoints: [text] } }).settings.endpoints).toEqual([expected as never]);
  });

  test("come from a list, a JSON list, or objects in the file", () => {
    const list = "http://a, b=http://c";
    const expected = [
      { name: "a", url: "http://a" },
      { name: "b", url: "http://c" },
    ];
    const json = JSON.stringify(expected);
    expect(load({ env: { LLMLB_ENDPOINTS: list } }).settings.endpoints).toEqual(expected);
    expect(load({ env: { LLMLB_ENDPOINTS: json } }).settings.endpoints).toEqual(expected);
    const endpoints = [{ name: "x", url: "http://c/v1", api_key: "sk-1" }, "http://d"];
    expect(load({ config: { endpoints } }).settings.endpoints).toEqual([
      { name: "x", url: "http://c", apiKey: "sk-1" },
      { name: "d", url: "http://d" },
    ]);
  });

  const bad: [Case, string][] = [
    [{ flags: { endpoints: ["http://ok", "gpu1"] } }, "--endpoint gpu1: must be a URL such as"],
    [{ flags: { endpoints: ["ftp://sk-1@a"] } }, "--endpoint ftp://***@a: must be a URL that"],
    [{ flags: { endpoints: ["http://a?x"] } }, "must be a base URL without"],
    [{ flags: { endpoints: ["http://a", "http://a"] } }, 'two endpoints are named "a"'],
    [{ flags: { endpoints: ["local=http://a"] } }, 'the name "local" is taken'],
    [{ config: { endpoints: [{ url: "http://a", key: "x" }] } }, '"key"'],
    [{ config: { endpoints: [{ url: "a", api_key: "sk-1" }] } }, '"api_key":"***"'],
  ];
  test.each(bad)("refuses %j", (given, message) => {
    expect(() => load(given)).toThrow(message);
  });
});

describe("models", () => {
  const model = (...models: string[]) => ({ flags: { models } });
  const good: [Case, object[]][] = [
    [model("/m/Tiny.gguf"), [{ id: "Tiny", path: "/m/Tiny.gguf" }]],
    [model("sub/x.GGUF"), [{ id: "x", path: "/work dir/sub/x.GGUF" }]],
    [model("hf/a/b=x.gguf"), [{ id: "hf/a/b", path: "/work dir/x.gguf" }]],
    [model("/m/a=b.gguf"), [{ id: "a=b", path: "/m/a=b.gguf" }]],
    [model("/m/big-00001-of-00003.gguf"), [{ id: "big", path: "/m/big-00001-of-00003.gguf" }]],
    [
      { env: { LLMLB_MODELS: "a=/1,b=/2" } },
      [
        { id: "a", path: "/1" },
        { id: "b", path: "/2" },
      ],
    ],
    [
      { flags: { models: ["/a", "/b"], mmproj: ["b=/p"] } },
      [
        { id: "a", path: "/a" },
        { id: "b", path: "/b", mmproj: "/p" },
      ],
    ],
    [{ flags: { models: ["/a"], mmproj: ["/p"] } }, [{ id: "a", path: "/a", mmproj: "/p" }]],
    [{ flags: { models: ["/a"] }, config: { mmproj: "/p" } }, [{ id: "a", path: "/a" }]],
    [
      { config: { models: [{ id: "i", path: "/a", mmproj: "/p" }] } },
      [{ id: "i", path: "/a", mmproj: "/p" }],
    ],
  ];
  test.each(good)("reads %j", (given, expected) => {
    expect(load(given).settings.models).toEqual(expected as never);
  });

  test("in the file start at its folder", () => {
    const { settings, home } = load({ config: { models: ["m/x.gguf"] } });
    expect(settings.models).toEqual([{ id: "x", path: join(home, "m/x.gguf") }]);
  });

  const bad: [Case, string][] = [
    [model("/a/x.gguf", "/b/x.gguf"), 'two models are named "x"'],
    [model("=x"), "--model =x: must be a file, or name=file"],
    [{ flags: { mmproj: ["/p"] } }, "--mmproj: there is no model it could belong to"],
    [{ flags: { models: ["/a"], mmproj: ["z=/p"] } }, '--mmproj: there is no model "z"'],
    [{ flags: { models: ["/a", "/b"], mmproj: ["/p"] } }, "say which one it belongs to"],
    [{ config: { models: [{ file: "x" }] } }, "models = "],
  ];
  test.each(bad)("refuses %j", (given, message) => {
    expect(() => load(given)).toThrow(message);
  });
});

describe("clouds", () => {
  test("take the names of the environment that everybody knows, weaker than our own", () => {
    const env = {
      OPENAI_API_KEY: "sk-1",
      GEMINI_API_KEY: "g-1",
      ANTHROPIC_API_BASE_URL: "http://a/v1",
    };
    const { settings, origins } = load({ env });
    expect(settings.openaiApiKey).toBe("sk-1");
    expect(settings.googleApiKey).toBe("g-1");
    expect(settings.anthropicApiKey).toBeNull();
    expect(settings.anthropicBaseUrl).toBe("http://a");
    expect(origins.googleApiKey).toEqual({ source: "env", name: "GEMINI_API_KEY" });
    const both = { GOOGLE_API_KEY: "g-2", ...env, LLMLB_OPENAI_API_KEY: "sk-2" };
    expect(load({ env: both }).settings.googleApiKey).toBe("g-2");
    expect(load({ env: both }).settings.openaiApiKey).toBe("sk-2");
    const config = { openai_api_key: "sk-3" };
    expect(load({ env, config }).settings.openaiApiKey).toBe("sk-1");
    expect(load({ config }).settings.openaiApiKey).toBe("sk-3");
  });

  test.each([
    ["http://g", "http://g/v1beta"],
    ["http://g/v1beta/", "http://g/v1beta"],
    ["http://g/proxy/v1alpha", "http://g/proxy/v1alpha"],
    ["http://g/v1", "http://g/v1beta"],
  ])("read Google's address %s", (given, expected) => {
    expect(load({ env: { GOOGLE_API_BASE_URL: given } }).settings.googleBaseUrl).toBe(expected);
  });

  test("can be defined by the operator", () => {
    const provider = ["groq=https://gsk-1@api.groq.com/openai/v1", "free=http://h"];
    expect(load({ flags: { providers: provider } }).settings.providers).toEqual([
      { name: "groq", url: "https://api.groq.com/openai", apiKey: "gsk-1" },
      { name: "free", url: "http://h" },
    ]);
    const config = { providers: [{ name: "x", url: "https://h/v1", api_key: "k" }] };
    const expected = [{ name: "x", url: "https://h", apiKey: "k" }];
    expect(load({ config }).settings.providers).toEqual(expected);
  });

  test("take over by rules", () => {
    const flags = { fallbacks: ["a=b=openai:x", "*=anthropic:y:z"] };
    expect(load({ flags }).settings.fallbacks).toEqual([
      { model: "a=b", to: "openai:x" },
      { model: "*", to: "anthropic:y:z" },
    ]);
    const config = { fallbacks: [{ model: "m", to: "own:x" }], providers: ["own=http://h"] };
    expect(load({ config }).settings.fallbacks).toEqual([{ model: "m", to: "own:x" }]);
  });

  const bad: [Case, string][] = [
    [{ flags: { providers: ["https://host"] } }, "--provider https://host: must have a name"],
    [{ flags: { providers: ["google=https://k@h"] } }, 'the name "google" is taken'],
    [{ flags: { providers: ["a=http://h", "a=http://i"] } }, 'the name "a" is taken'],
    [{ flags: { providers: ["1a=http://h"] } }, "must begin with a letter"],
    [{ flags: { providers: ["a=ftp://sk-1@h"] } }, "--provider a=ftp://***@h: must be a URL that"],
    [{ config: { providers: [{ url: "http://h" }] } }, "must have a name"],
    [{ flags: { fallbacks: ["gpt-4o"] } }, "--fallback gpt-4o: must be model=provider:model"],
    [{ flags: { fallbacks: ["a=gpt-4o"] } }, "must be model=provider:model"],
    [{ flags: { fallbacks: ["a=groq:x"] } }, '--fallback: a=groq:x: there is no provider "groq"'],
    [{ flags: { fallbacks: ["a=openai:x", "a=openai:y"] } }, 'two fallbacks for "a"'],
    [{ config: { fallbacks: [{ model: "a" }] } }, "must be model=provider:model"],
    [{ env: { OPENAI_BASE_URL: "api" } }, "OPENAI_BASE_URL=api: must be a URL"],
  ];
  test.each(bad)("refuse %j", (given, message) => {
    expect(() => load(given)).toThrow(message);
  });

  test("never show a wrong key", () => {
    const flags = { openaiApiKey: " " };
    expect(() => load({ flags, env: { OPENAI_API_KEY: "x" } })).toThrow(
      "--openai-api-key: must be",
    );
    const config = { google_api_key: { key: "secret-1" } };
    expect(() => load({ config })).toThrow(/google_api_key: must be the provider's API key$/);
  });
});

test("effectiveSettings never shows a key", () => {
  const env = { OPENAI_API_KEY: "sk-secret1", GEMINI_API_KEY: "sk-secret2" };
  const flags = {
    endpoints: ["http://sk-secret@a"],
    models: ["/m.gguf"],
    providers: ["groq=https://sk-secret3@h"],
    fallbacks: ["*=groq:x"],
  };
  const loaded = load({ flags, env });
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

test("an old variable of the models folder counts, with advice", () => {
  const old = { LLM_MODELS_DIR: "/models" };
  const { settings, warnings } = load({ env: old });
  expect(settings.modelsDir).toBe("/models");
  expect(warnings).toEqual(["LLM_MODELS_DIR is deprecated: use LLMLB_MODELS_DIR."]);
  const newer = load({ env: { ...old, LLMLB_MODELS_DIR: "/new" } });
  expect([newer.settings.modelsDir, newer.warnings]).toEqual(["/new", []]);
});
