import { afterEach, describe, expect, test } from "bun:test";
import { Hops } from "../../http/proxy/hops.ts";
import { createLogger } from "../../lib/log.ts";
import { Clouds, KEYLESS } from "../../testkit/clouds.ts";
import { until } from "../../testkit/eventually.ts";
import { Providers } from "./providers.ts";

const clouds = new Clouds();
afterEach(() => clouds[Symbol.dispose]());

describe("models", () => {
  test("of all clouds with a key are listed with their prefix, pages and all", async () => {
    const [one, other] = [clouds.google(), clouds.openai()];
    const all = clouds.of({
      googleApiKey: one.key,
      googleBaseUrl: one.url,
      providers: [{ name: "own", url: other.url, apiKey: other.key }],
    });
    const models = await all.models();
    expect(models.map(({ id, supported_apis: apis }) => [id, apis.join(" ")])).toEqual([
      ["google:gemini-2.5-flash", "chat_completions responses messages"],
      ["google:gemini-2.5-pro", "chat_completions responses messages"],
      ["google:gemini-3-pro-preview", "chat_completions responses messages"],
      ["google:gemini-embedding-001", "embeddings"],
      ["own:gpt-4o", "chat_completions responses messages"],
      ["own:text-embedding-3-small", "embeddings"],
      ["own:tts-1", ""],
    ]);
    expect(models[0]).toMatchObject({
      object: "model",
      created: 0,
      owned_by: "google",
      ready: true,
    });
    expect(models[4]).toMatchObject({ created: 1_715_367_049, owned_by: "own" });
  });

  test("of a cloud are at most 5000", async () => {
    const data = Array.from({ length: 12_000 }, (_, i) => ({ id: `m${i}`, created: 1 }));
    using server = Bun.serve({ port: 0, fetch: () => Response.json({ object: "list", data }) });
    const url = server.url.href;
    const all = clouds.of({ providers: [{ name: "own", url }] });
    const models = await all.models();
    expect(models).toHaveLength(5000);
    expect(models.at(-1)?.id).toBe("own:m4999");
  });

  test("are fetched once a day, by one request for all who ask", async () => {
    const server = clouds.openai();
    let nowMs = 0;
    const settings = { openaiApiKey: server.key, openaiBaseUrl: server.url };
    const all = clouds.of(settings, () => nowMs);
    await Promise.all([all.models(), all.models(), all.models()]);
    nowMs = 86_399_999;
    expect(await all.models()).toHaveLength(3);
    expect(server.lists).toBe(1);
    nowMs = 86_400_000;
    expect(await all.models()).toHaveLength(3);
    await until(() => server.lists === 2, 15_000);
  });

  test("are the old ones if a cloud fails, which is asked again a minute later", async () => {
    const server = clouds.openai();
    let nowMs = 0;
    const settings = { openaiApiKey: server.key, openaiBaseUrl: server.url };
    const all = clouds.of(settings, () => nowMs);
    server.fault = "500";
    expect(await all.models()).toEqual([]);
    server.fault = "none";
    expect(await all.models()).toEqual([]);
    nowMs = 60_000;
    expect(await all.models()).toHaveLength(3);
    nowMs += 86_400_000;
    server.fault = "500";
    expect(await all.models()).toHaveLength(3);
    expect(await all.models()).toHaveLength(3);
  });

  test("of a cloud that is away are none, and keep nobody else's back", async () => {
    const server = clouds.openai();
    const all = clouds.of({
      ...{ googleApiKey: "g", openaiApiKey: server.key, openaiBaseUrl: server.url },
    });
    expect((await all.models()).map(({ owned_by: owner }) => owner)).toEqual(
      Array(3).fill("openai"),
    );
  });
});

test("a provider that is this balancer itself is not asked for its models", async () => {
  const server = clouds.openai();
  const here = Number(new URL(server.url).port);
  for (const port of [here, here - 1]) {
    const settings = { openaiApiKey: server.key, openaiBaseUrl: server.url, port };
    expect(await clouds.of(settings).models()).toHaveLength(port === here ? 0 : 3);
  }
});

test.each([
  ["http://localhost/v1", true],
  ["http://LOCALHOST.:80", true],
  ["http://[::ffff:127.0.0.1]", true],
  ["http://0.0.0.0", true],
  ["http://127.0.0.1:8080", false],
  ["https://localhost", false],
  ["http://127.0.0.1.invalid", false],
  ["http://localhost.invalid", false],
])("a balancer on port 80 takes %s for itself: %p", (openaiBaseUrl, isHere) => {
  const events: unknown[] = [];
  const log = createLogger({ level: "silent" });
  log.warn = (_: object, event?: string) => void events.push(event);
  const settings = { ...KEYLESS, openaiApiKey: "o", openaiBaseUrl, port: 80 };
  new Providers({ settings, hops: new Hops(), log }).close();
  expect(events).toEqual(isHere ? ["cloud.is_this_balancer"] : []);
});
