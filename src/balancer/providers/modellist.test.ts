import { expect, test } from "bun:test";
import { Hops } from "../../http/proxy/hops.ts";
import { createLogger } from "../../lib/log.ts";
import { openaiServer } from "../../testkit/servers/openai.ts";
import { ProviderModelList } from "./modellist.ts";
import { OPENAI } from "./openai.ts";
import { Provider } from "./provider.ts";

test("a cloud that never gives its list holds nobody up for longer than the limit", async () => {
  using server = openaiServer();
  let asked = 0;
  using silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => {
      asked += 1;
      return new Promise<Response>(() => undefined);
    },
  });
  const provider = (name: string, url: string) =>
    new Provider({ name, url, apiKey: server.key, api: OPENAI.api, proxy: undefined });
  const providers = [provider("slow", silent.url.origin), provider("openai", server.url)];
  const log = createLogger({ level: "silent" });
  const list = new ProviderModelList({
    hops: new Hops(),
    providers,
    log,
    now: () => 0,
    timeoutMs: 20,
  });
  // Waiting ends by the limit, and for the second one there is nothing to wait for.
  for (let time = 0; time < 2; time += 1) {
    const owners = (await list.all()).map(({ owned_by: owner }) => owner);
    expect(owners).toEqual(Array(3).fill("openai"));
  }
  expect([asked, server.lists]).toEqual([1, 1]);
  list.close();
});

test("closing ends the waiting", async () => {
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  using silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => {
      resolve();
      return new Promise<Response>(() => undefined);
    },
  });
  const options = { name: "slow", url: silent.url.origin, apiKey: "k", api: OPENAI.api };
  const providers = [new Provider({ ...options, proxy: undefined })];
  const list = new ProviderModelList({
    hops: new Hops(),
    providers,
    log: createLogger({ level: "silent" }),
  });
  const models = list.all();
  await heard;
  list.close();
  expect(await models).toEqual([]);
});
