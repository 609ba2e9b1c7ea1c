import { afterEach, describe, expect, test } from "bun:test";
import { Registry } from "prom-client";
import { Clouds } from "../../testkit/clouds.ts";
import { routeAt } from "../../testkit/route.ts";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";

const KEYS = { openaiApiKey: "o", googleApiKey: "g", anthropicApiKey: "a" };

const clouds = new Clouds();
afterEach(() => clouds[Symbol.dispose]());

function thrownBy(act: () => unknown): ApiError {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("find", () => {
  const all = clouds.of({ ...KEYS, providers: [{ name: "groq", url: "http://h", apiKey: "k" }] });

  test.each([
    ["openai:gpt-4o", "openai", "gpt-4o", "c001"],
    ["google:models/gemini", "google", "models/gemini", "c002"],
    ["anthropic:claude:x", "anthropic", "claude:x", "c003"],
    ["ahtnorpic:claude", "anthropic", "claude", "c003"],
    ["groq:llama", "groq", "llama", ""],
  ])("knows %s", (name, provider, model, id) => {
    const found = all.find(name);
    expect(found?.provider.name).toBe(provider);
    expect(found?.provider.shownName).toBe(`cloud:${provider}`);
    expect(found?.model).toBe(model);
    expect(found?.provider.id).toEndWith(id);
    expect(found?.provider.id).toMatch(/^00000000-0000-0000-[0-9a-f]{4}-[0-9a-f]{12}$/);
  });

  test.each(["openai:", "openai", "OpenAI:gpt", "llama3:8b", ":x", "", "constructor:x"])(
    "takes %j for no cloud's model",
    (name) => expect(all.find(name)).toBeUndefined(),
  );

  test("gives a provider of the operator the same id after every start", () => {
    const providers = [{ name: "groq", url: "http://other" }];
    const again = clouds.of({ providers }).find("groq:x")?.provider.id;
    expect(again).toBe(all.find("groq:x")?.provider.id ?? "");
  });

  test.each([
    ["openai:x", "OPENAI_API_KEY is required for openai: models"],
    ["google:x", "GOOGLE_API_KEY is required for google: models"],
    ["ahtnorpic:x", "ANTHROPIC_API_KEY is required for anthropic: models"],
  ])("of %s without a key is a 401 that names it", (name, message) => {
    const error = thrownBy(() => clouds.of({}).find(name));
    expect(error).toMatchObject({ status: 401, code: "provider_key_missing", param: "model" });
    expect(error.message).toStartWith(message);
  });
});

describe("a cloud's model", () => {
  const all = clouds.of({ ...KEYS, providers: [{ name: "free", url: "http://h" }] });

  const targets: [string, object, string][] = [
    ["openai:x", { authorization: "Bearer o" }, "http://127.0.0.1:1/v1/p"],
    ["google:x", { "x-goog-api-key": "g" }, "http://127.0.0.1:1/v1beta/v1/p"],
    [
      "anthropic:x",
      { "x-api-key": "a", "anthropic-version": "2023-06-01" },
      "http://127.0.0.1:1/v1/p",
    ],
    ["free:x", {}, "http://h/v1/p"],
  ];
  test.each(targets)("%s is reached with its provider's key only", (name, headers, url) => {
    const target = all.find(name)?.target("/v1/p");
    expect(target?.headers as object).toEqual(headers);
    expect(target?.url).toBe(url);
    expect(target?.label).toBe(`cloud ${name.split(":")[0]}`);
  });

  const NATIVE = "native";
  const PUT = "put";
  const NO = "no";
  const abilities: [string, string[]][] = [
    ["openai:x", [NATIVE, NATIVE, NATIVE, NATIVE, PUT, PUT, PUT, PUT, PUT]],
    ["free:x", [NATIVE, NATIVE, NATIVE, NATIVE, PUT, PUT, PUT, PUT, PUT]],
    ["google:x", [PUT, NO, PUT, PUT, PUT, PUT, PUT, PUT, PUT]],
    ["anthropic:x", [PUT, NO, NO, PUT, NATIVE, NATIVE, PUT, PUT, NO]],
  ];
  test.each(abilities)("%s answers what its provider can", (name, expected) => {
    const model = all.find(name);
    const openai = ["chat/completions", "completions", "embeddings", "responses"];
    const v1 = [...openai, "messages", "messages/count_tokens"].map((path) => `/v1/${path}`);
    const got = [...v1, "/api/chat", "/api/generate", "/api/embed"].map((path) => {
      const route = routeAt(path);
      try {
        return model?.supportOf(route) === "native" ? NATIVE : PUT;
      } catch {
        return NO;
      }
    });
    expect<string[]>(got).toEqual(expected);
  });

  test.each([
    ["openai:x", true],
    ["google:x", false],
    ["anthropic:x", true],
    ["free:x", false],
  ])("%s fetches images itself: %p", (name, expected) => {
    expect(all.find(name)?.fetchesImages).toBe(expected);
  });

  test("that cannot is a 400 that names it and the ability", () => {
    const error = thrownBy(() => all.find("anthropic:claude")?.supportOf(ROUTES.embeddings));
    expect(error).toMatchObject({ status: 400, code: "model_capability_mismatch", param: "model" });
    expect(error.message).toContain('"anthropic:claude" cannot make embeddings');
  });

  test("is called by its own name, wherever the cloud wants it", () => {
    const messages = [{ role: "user", content: "hi" }];
    const put = (name: string, path: string) => {
      const found = all.find(name);
      const support = found?.supportOf(routeAt(path));
      if (found === undefined || support === undefined || support === "native") return undefined;
      return support({ model: name, messages, max_tokens: 5 }, found.modelName());
    };
    const chat = "/v1/chat/completions";
    expect(put("anthropic:claude", chat)?.body).toMatchObject({ model: "claude" });
    expect(put("openai:gpt", "/v1/messages")?.body).toMatchObject({ model: "gpt" });
    const translation = put("google:gemini-x", "/v1/messages");
    expect(translation?.path).toBe("/models/gemini-x:generateContent");
    expect(translation?.body).not.toHaveProperty("model");
  });
});

describe("fallbackOf", () => {
  const fallbacks = [
    { model: "a", to: "openai:x" },
    { model: "b", to: "google:y" },
    { model: "*", to: "openai:z" },
  ];
  const all = clouds.of({ openaiApiKey: "o", fallbacks });

  test("is the rule for the model, else the one for all", () => {
    const fallback = (model: string) => {
      const found = all.fallbackOf(model);
      return `${found?.provider.name}:${found?.model}`;
    };
    expect(fallback("a")).toBe("openai:x");
    expect(fallback("other")).toBe("openai:z");
  });

  test("is nothing without a key, for clouds' own models, and without a rule", () => {
    expect(all.fallbackOf("b")).toBeUndefined();
    expect(all.fallbackOf("openai:q")).toBeUndefined();
    expect(clouds.of({ openaiApiKey: "o" }).fallbackOf("a")).toBeUndefined();
  });
});

test.each([
  ["own:x", false],
  ["deepseek:x", true],
])("thoughts of earlier turns are for clouds that want them: %s, %p", (name, expected) => {
  const providers = ["own", "deepseek"].map((one) => ({ name: one, url: "http://h" }));
  const all = clouds.of({ providers, providerThoughts: ["deepseek"] });
  const support = all.find(name)?.supportOf(routeAt("/v1/messages"));
  if (support === undefined || support === "native") throw new Error("it is not translated");
  const content = [{ type: "thinking", thinking: "hm", signature: "" }];
  const messages = [
    { role: "user", content: "x" },
    { role: "assistant", content },
    { role: "user", content: "y" },
  ];
  const { body } = support({ model: name, max_tokens: 5, messages }, "x");
  expect(JSON.stringify(body).includes("hm")).toBe(expected);
});

describe("metrics", () => {
  test("count by provider and status, and nothing that is no provider", async () => {
    const { metrics } = clouds.of({});
    metrics.record("openai", 200, 1500);
    metrics.record("openai", 200, 10);
    metrics.record("google", "unreachable");
    metrics.record("google", 999);
    metrics.record("evil", 200);
    const text = await metrics.text();
    expect(text).toContain('cloud_requests_total{provider="openai",status="200"} 2');
    expect(text).toContain('cloud_requests_total{provider="google",status="unreachable"} 1');
    expect(text).toContain('cloud_requests_total{provider="google",status="other"} 1');
    expect(text).toContain('cloud_request_latency_seconds_count{provider="openai"} 2');
    expect(text).toContain('cloud_request_latency_seconds_sum{provider="openai"} 1.51');
    expect(text).not.toContain("evil");
    const registry = new Registry();
    metrics.addTo(registry);
    expect(await registry.metrics()).toContain("cloud_requests_total");
  });
});
