import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { until } from "../../testkit/eventually.ts";
import { liveRows } from "../../testkit/liverows.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";

const NAMES = Array.from({ length: 30 }, () => `made-up-${crypto.randomUUID()}`);

async function statuses(front: FakeBalancer): Promise<number[]> {
  const answers = NAMES.map((model) => front.post("/v1/chat/completions", { model }));
  return (await Promise.all(answers)).map(({ status }) => status);
}

/** Models that the statistics and the metrics name, once all requests are in the history. */
async function named(home: string, front: FakeBalancer, requests: number) {
  const file = join(home, "history.db");
  const count = () => liveRows<{ n: number }>(file, "select count(*) as n from requests")[0]?.n;
  await until(() => (count() ?? 0) >= requests, 15_000);
  const usage = liveRows<{ model: string }>(file, "select distinct model from usage_days");
  const text = await (await fetch(`${front.url}/metrics`)).text();
  const labels = [...text.matchAll(/model="([^"]*)"/g)].map(([, label]) => label ?? "");
  return { usage: usage.map(({ model }) => model), labels: [...new Set(labels)] };
}

test.each<[string, number, (url: string) => Record<string, string>]>([
  ["before any endpoint is there", 503, () => ({})],
  ["before any list is known", 503, () => ({ a: "http://127.0.0.1:9" })],
  ["which no endpoint lists", 404, (url) => ({ a: url })],
])("made-up names %s do not grow the statistics", async (_, status, endpoints) => {
  const home = mkdtempSync(join(tmpdir(), "llmlb-bounded-"));
  try {
    using a = fakeEndpoint(["m"], () => Response.json({}));
    await using front = await fakeBalancer(endpoints(a.url), { home });
    expect(await statuses(front)).toEqual(Array(NAMES.length).fill(status));
    const found = await named(home, front, NAMES.length);
    expect(found.usage).toEqual([""]);
    expect(found.labels.filter((label) => label !== "")).toEqual([]);
  } finally {
    rmSync(home, { recursive: true });
  }
});

test("a model that is there is named, also when all its endpoints are full", async () => {
  const home = mkdtempSync(join(tmpdir(), "llmlb-bounded-"));
  try {
    const refused = Promise.withResolvers<void>();
    using a = fakeEndpoint(["m"], async () => {
      await refused.promise;
      return Response.json({});
    });
    const limits = { defaultSlots: 1, queueMax: 1, queueTimeoutMs: 50 };
    await using front = await fakeBalancer({ a: a.url }, { home, ...limits });
    const ask = async () => {
      const answer = await front.post("/v1/chat/completions", { model: "m" });
      refused.resolve(); // the first answer that comes is that of one that got no slot
      return answer;
    };
    const answers = await Promise.all([ask(), ask(), ask()]);
    const failed = answers.filter(({ status }) => status === 429 || status === 504);
    expect(failed.length).toBeGreaterThan(0);
    expect((await named(home, front, 3)).usage).toEqual(["m"]);
  } finally {
    rmSync(home, { recursive: true });
  }
});
