import { describe, expect, test } from "bun:test";
import { type ConfigInput, loadConfig } from "../testkit/config.ts";
import { ConfigError } from "./error.ts";
import { flagName } from "./fields/field.ts";
import { FIELD_KEYS, FIELDS } from "./fields.ts";
import { loadSettings } from "./precedence.ts";
import type { Settings } from "./settings.ts";

const DEFAULTS: Omit<Settings, "home"> = {
  mode: "standalone",
  host: "127.0.0.1",
  allowedHosts: [],
  allowedOrigins: ["local"],
  trustedProxies: [],
  servedBy: true,
  continueStreams: true,
  port: 32768,
  nodePort: 32769,
  logLevel: "info",
  logFile: null,
  logStderr: true,
  updateFeed: null,
  accessLog: true,
  access: "auto",
  insecure: false,
  adminUsername: "admin",
  adminPassword: null,
  tlsCert: null,
  tlsKey: null,
  tlsKeyPassword: null,
  tlsCa: null,
  oidcIssuer: null,
  oidcClientId: null,
  oidcClientSecret: null,
  oidcScopes: "openid profile email",
  oidcRoleClaim: null,
  oidcAdminValues: ["admin"],
  join: null,
  token: null,
  fingerprint: null,
  name: null,
  advertise: null,
  endpoints: [],
  models: [],
  engineArgs: [],
  bodyLimitBytes: 67_108_864,
  bodyMemoryBytes: 1_073_741_824,
  privateMedia: false,
  imagesMax: 10,
  allowMetadataAddresses: false,
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
  rpcWorker: false,
  workers: [],
  modelSources: "link",
  modelsMemoryBytes: null,
  promptDiskBytes: null,
  modelsMax: null,
  fit: null,
  keepAliveMs: null,
  preload: [],
  pinned: [],
  historyBodies: "redacted",
  historyRetentionMs: 604_800_000,
  historyBytesMax: 2 ** 30,
  auditRetentionMs: 31_536_000_000,
  aliases: [],
  embeddingModel: "nomic-embed-text-v1.5",
  openaiApiKey: null,
  openaiBaseUrl: "https://api.openai.com",
  googleApiKey: null,
  googleBaseUrl: "https://generativelanguage.googleapis.com/v1beta",
  anthropicApiKey: null,
  anthropicBaseUrl: "https://api.anthropic.com",
  providers: [],
  providerThoughts: [],
  fallbacks: [],
  httpProxy: null,
  httpsProxy: null,
  proxyBypass: [],
};

describe("loadSettings", () => {
  test("has the documented defaults", () => {
    const { settings, origins, home } = loadConfig({});
    expect(settings).toEqual({ ...DEFAULTS, home });
    expect(origins.port).toEqual({ source: "default", name: "default" });
    expect(origins.home).toEqual({ source: "env", name: "LLMLB_HOME" });
    expect(loadConfig({ flags: { mode: "node" } }).settings.port).toBe(32769);
    expect(loadSettings({ flags: {}, env: {} }).settings.home).toEndWith(".llmlb");
  });

  test("takes flags before environment before file before default", () => {
    const given = { flags: { port: "1" }, env: { LLMLB_PORT: "2" }, config: { port: 3 } };
    const { flags, env, config } = given;
    expect(loadConfig(given).origins.port).toEqual({ source: "flag", name: "--port" });
    expect(loadConfig(given).settings.port).toBe(1);
    expect(loadConfig({ env, config }).settings.port).toBe(2);
    expect(loadConfig({ env, config }).origins.port.name).toBe("LLMLB_PORT");
    expect(loadConfig({ config }).settings.port).toBe(3);
    expect(loadConfig({ config }).origins.port.source).toBe("file");
    expect(loadConfig({ flags, config, env: { LLMLB_PORT: "" } }).settings.port).toBe(1);
    expect(loadConfig({ env: { LLMLB_PORT: "" } }).settings.port).toBe(32768);
  });

  const good: [string, ConfigInput, string, unknown][] = [
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
    [
      "a variable that other tools of the hub read",
      { env: { HUGGING_FACE_HUB_TOKEN: "hf_old" } },
      "hubToken",
      "hf_old",
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
    [
      "comments, a mark of the byte order, a comma at the end",
      {
        config:
          '\uFEFF// my own\r\n{\r\n  /* here */ "port": 5, // why\r\n  "$schema": "s",\r\n}\r\n',
      },
      "port",
      5,
    ],
    ["no engine words", { flags: { engineArgs: [] } }, "engineArgs", []],
  ];
  test.each(good)("reads %s", (_name, given, key, expected) => {
    expect(loadConfig(given).settings).toHaveProperty(key, expected);
  });

  const bad: [string, ConfigInput, string | RegExp][] = [
    [
      "port",
      { env: { LLMLB_PORT: "abc" } },
      "LLMLB_PORT=abc: must be a whole number from 0 to 65535",
    ],
    ["port", { flags: { port: "70000" } }, "--port 70000: must be a whole number from 0 to 65535"],
    ["port", { config: { port: "1x" } }, 'config.json:1:9: port = "1x": must be a whole number'],
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
    ["key", { config: { prot: 1 } }, 'config.json:1:2: unknown key "prot": did you mean "port"?'],
    ["key", { config: { "log-level": "info" } }, 'did you mean "log_level"?'],
    ["key", { config: { colour: 1 } }, 'unknown key "colour": the keys are mode, host'],
    ["key", { config: { home: "/x" } }, "home: cannot be set in this file, use --home"],
    ["JSON", { config: "{port: 1" }, "config.json:1:2: is not valid JSON: port: is no value"],
    [
      "JSON",
      { config: '{\r\n "port": 1\r\n "host": "a"}' },
      "config.json:3:2: is not valid JSON: ",
    ],
    ["JSON", { config: '{\n"port": 1' }, "config.json:2:10: is not valid JSON: a } is missing"],
    ["JSON", { config: "{} x" }, "config.json:1:4: is not valid JSON: x: "],
    ["JSON", { config: "a\u001b[2J" }, "config.json:1:1: is not valid JSON: a?: is"],
    ["JSON", { config: "" }, "config.json: must hold a JSON object"],
    ["JSON", { config: "// nothing" }, "config.json: must hold a JSON object"],
    ["JSON", { config: "[".repeat(100_000) }, "config.json: is nested too deeply"],
    [
      "key",
      { config: '{\n"port": 1,\n"port": 2}' },
      /config\.json:3:1: "port" stands twice, before in .*config\.json:2:9/,
    ],
    ["JSON", { config: [1] }, "config.json: must hold a JSON object"],
  ];
  test.each(bad)("refuses a wrong %s (case %#)", (_name, given, message) => {
    expect(() => loadConfig(given)).toThrow(ConfigError);
    expect(() => loadConfig(given)).toThrow(message);
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

test("an old variable of the models folder counts, with advice", () => {
  const old = { LLM_MODELS_DIR: "/models" };
  const { settings, warnings } = loadConfig({ env: old });
  expect(settings.modelsDir).toBe("/models");
  expect(warnings).toEqual(["LLM_MODELS_DIR is deprecated: use LLMLB_MODELS_DIR."]);
  const newer = loadConfig({ env: { ...old, LLMLB_MODELS_DIR: "/new" } });
  expect([newer.settings.modelsDir, newer.warnings]).toEqual(["/new", []]);
});
