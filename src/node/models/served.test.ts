import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ModelStore } from "../../storage/modelstore.ts";
import { ModelsFolder } from "../../testkit/modelsfolder.ts";
import { servedModelsOf } from "./served.ts";

/** The names under which the files of one folder are served, the ids first. */
async function namesOf(models: ModelsFolder): Promise<string[][]> {
  const store = new ModelStore(models.path);
  const [model] = (await store.list()).models;
  if (model === undefined) throw new Error("there is no model");
  const otherQuantizations = await store.otherQuantizations(model);
  const served = servedModelsOf({ model, record: undefined, otherQuantizations }, []);
  return served.map(({ served: { id, aliases = [] } }) => [id, ...aliases]);
}

test("a marked quantization is served by its tag, and its scheme where that is clear", async () => {
  using models = new ModelsFolder().write({ "acme/t/T-UD-Q4_K_M.gguf": "xx" });
  expect(await namesOf(models)).toEqual([["acme/t", "acme/t:UD-Q4_K_M", "acme/t:Q4_K_M"]]);
  writeFileSync(join(models.path, "acme/t/T-Q4_K_M.gguf"), "x");
  const both = [["acme/t", "acme/t:Q4_K_M"], ["acme/t:UD-Q4_K_M"]];
  expect(await namesOf(models)).toEqual(both);
});
