import { describe, expect, test } from "bun:test";
import { type ConfigInput, loadConfig } from "../../testkit/config.ts";

describe("providers", () => {
  test("take the names of the environment that everybody knows, weaker than our own", () => {
    const env = {
      OPENAI_API_KEY: "sk-1",
      GEMINI_API_KEY: "g-1",
      ANTHROPIC_API_BASE_URL: "http://a/v1",
    };
    const { settings, origins } = loadConfig({ env });
    expect(settings.openaiApiKey).toBe("sk-1");
    expect(settings.googleApiKey).toBe("g-1");
    expect(settings.anthropicApiKey).toBeNull();
    expect(settings.anthropicBaseUrl).toBe("http://a");
    expect(origins.googleApiKey).toEqual({ source: "env", name: "GEMINI_API_KEY" });
    const both = { GOOGLE_API_KEY: "g-2", ...env, LLMLB_OPENAI_API_KEY: "sk-2" };
    expect(loadConfig({ env: both }).settings.googleApiKey).toBe("g-2");
    expect(loadConfig({ env: both }).settings.openaiApiKey).toBe("sk-2");
    const config = { openai_api_key: "sk-3" };
    expect(loadConfig({ env, config }).settings.openaiApiKey).toBe("sk-1");
    expect(loadConfig({ config }).settings.openaiApiKey).toBe("sk-3");
  });

  test.each([
    ["http://g", "http://g/v1beta"],
    ["http://g/v1beta/", "http://g/v1beta"],
    ["http://g/proxy/v1alpha", "http://g/proxy/v1alpha"],
    ["http://g/v1", "http://g/v1beta"],
  ])("read Google's address %s", (given, expected) => {
    expect(loadConfig({ env: { GOOGLE_API_BASE_URL: given } }).settings.googleBaseUrl).toBe(
      expected,
    );
  });

  test("can be defined by the operator", () => {
    const provider = ["groq=https://gsk-1@api.groq.com/openai/v1", "free=http://h"];
    expect(loadConfig({ flags: { providers: provider } }).settings.providers).toEqual([
      { name: "groq", url: "https://api.groq.com/openai", apiKey: "gsk-1" },
      { name: "free", url: "http://h" },
    ]);
    const config = { providers: [{ name: "x", url: "https://h/v1", api_key: "k" }] };
    const expected = [{ name: "x", url: "https://h", apiKey: "k" }];
    expect(loadConfig({ config }).settings.providers).toEqual(expected);
  });

  test("take over by rules", () => {
    const flags = { fallbacks: ["a=b=openai:x", "*=anthropic:y:z"] };
    expect(loadConfig({ flags }).settings.fallbacks).toEqual([
      { model: "a=b", to: "openai:x" },
      { model: "*", to: "anthropic:y:z" },
    ]);
    const config = { fallbacks: [{ model: "m", to: "own:x" }], providers: ["own=http://h"] };
    expect(loadConfig({ config }).settings.fallbacks).toEqual([{ model: "m", to: "own:x" }]);
  });

  const bad: [ConfigInput, string][] = [
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
    expect(() => loadConfig(given)).toThrow(message);
  });

  test("never show a wrong key", () => {
    const flags = { openaiApiKey: " " };
    expect(() => loadConfig({ flags, env: { OPENAI_API_KEY: "x" } })).toThrow(
      "--openai-api-key: must be",
    );
    const config = { google_api_key: { key: "secret-1" } };
    expect(() => loadConfig({ config })).toThrow(/google_api_key: must be the provider's API key$/);
  });
});
