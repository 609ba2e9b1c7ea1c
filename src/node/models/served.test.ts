import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ModelStore } from "../../storage/modelstore.ts";
import { ModelsFolder } from "../../testkit/modelsfolder.ts";
import { servedModelsOf } from "./served.ts";

const NO_SETTINGS = { registered: [], settings: [] };

/** The names under which the files of one folder are served, the ids first. */
async function namesOf(models: ModelsFolder): Promise<string[][]> {
  const store = new ModelStore(models.path);
  const [model] = (await store.list()).models;
  if (model === undefined) throw new Error("there is no model");
  const otherQuantizations = await store.otherQuantizations(model);
  const served = servedModelsOf({ model, record: undefined, otherQuantizations }, NO_SETTINGS);
  return served.map(({ served: { id, aliases = [] } }) => [id, ...aliases]);
}

test("a marked quantization is served by its tag, and its scheme where that is clear", async () => {
  using models = new ModelsFolder().write({ "acme/t/T-UD-Q4_K_M.gguf": "xx" });
  expect(await namesOf(models)).toEqual([["acme/t", "acme/t:UD-Q4_K_M", "acme/t:Q4_K_M"]]);
  writeFileSync(join(models.path, "acme/t/T-Q4_K_M.gguf"), "x");
  const both = [["acme/t", "acme/t:Q4_K_M"], ["acme/t:UD-Q4_K_M"]];
  expect(await namesOf(models)).toEqual(both);
});

test("settings of config.json win over the registry's, also of one quantization", async () => {
  using models = new ModelsFolder().write({
    "hf/acme/t/T-Q4_K_M.gguf": "xx",
    "hf/acme/t/T-Q8_0.gguf": "x",
  });
  const store = new ModelStore(models.path);
  const [model] = (await store.list()).models;
  if (model === undefined) throw new Error("there is no model");
  const otherQuantizations = await store.otherQuantizations(model);
  const scanned = { model, record: undefined, otherQuantizations };
  const registered = [
    {
      id: "hf/acme/t",
      names: [],
      quantizations: [],
      settings: { ctx_size: 1, parallel: 1, temp: 1 },
    },
  ];
  const settings = [
    { id: "acme/t", settings: { parallel: 2, lora: ["a.gguf"], keep_alive: "1m" } },
    { id: "Acme/T:Q8_0", settings: { parallel: 3, pin: true } },
    { id: "acme/other", settings: { parallel: 9 } },
  ];
  const found = servedModelsOf(scanned, { registered, settings });
  const lora = join(models.path, "hf/acme/t/a.gguf");
  const args = (slots: number) => {
    return `--ctx-size 1 --temp 1 --parallel ${slots} --lora ${lora}`;
  };
  expect(
    found.map(({ served }) => [served.args.join(" "), served.keepAliveMs, served.isPinned]),
  ).toEqual([
    [args(2), 60_000, undefined],
    [args(3), 60_000, true],
  ]);
  const other = servedModelsOf(scanned, { registered: [], settings });
  expect(other[0]?.fingerprint).not.toBe(found[0]?.fingerprint);
});
