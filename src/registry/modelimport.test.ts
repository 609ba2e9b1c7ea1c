import { expect, test } from "bun:test";
import { errorAnswer, testRegistry } from "../testkit/registry.ts";
import { variantsRepo } from "../testkit/servers/hub/samples.ts";

const LLAMA = "acme/Llama-3-8B-GGUF";

test("a model of an earlier program is taken over once, completed once the hub is up", async () => {
  await using at = await testRegistry({ allMs: 100 });
  await at.hub.add(variantsRepo());
  const list = [
    {
      name: "llama",
      repo: LLAMA.toLowerCase(),
      filename: "Llama-3-8B-Q8_0.gguf",
      source: "hf_gguf",
    },
    { name: "elsewhere", repo: null },
  ];
  await Bun.write(`${at.home.path}/models.json`, JSON.stringify(list));
  at.hub.fail({ on: "api", mishap: { status: 503 } });
  const first = await at.restarted();
  // It had all names in lower case: the id stays, what it stands for is spelled right later.
  const id = `hf/${LLAMA.toLowerCase()}/Llama-3-8B-Q8_0.gguf`;
  expect(first.registry.list()).toMatchObject([{ id, status: "pending", aliases: ["llama"] }]);
  const path = "/api/models/registry/llama/manifest.json";
  expect(await first.call("GET", path)).toMatchObject(errorAnswer("hub_unreachable", 502));
  at.hub.faults.clear();
  const completed = Promise.withResolvers<void>();
  first.registry.onChange(() => completed.resolve());
  first.registry.start();
  await completed.promise;
  expect(first.registry.list()).toMatchObject([
    { id, repo: LLAMA, status: "registered", size_bytes: 8000 },
  ]);
  await first.call("DELETE", "/api/models/llama");
  const second = await first.restarted();
  expect(second.registry.list()).toEqual([]);
});
