import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NodeModelList } from "../../wire/sync.ts";
import { errorOf, TestNode } from "../testnode.ts";

/** A node whose models folder has one model in these quantizations. */
async function holding(quantizations: string[]) {
  const host = new TestNode(["fixed"]);
  const folder = join(host.engines.folder, "models/org/m");
  mkdirSync(folder, { recursive: true });
  for (const one of quantizations) writeFileSync(join(folder, `m-${one}.gguf`), "GGUF");
  writeFileSync(join(folder, "mmproj-F16.gguf"), "GGUF");
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ quantization: "Q8_0" }));
  await host.node.open();
  const remove = (name: string) => {
    return fetch(`${host.url}/api/models/${name}`, { method: "DELETE" });
  };
  const names = async () => {
    const { data } = (await (await host.get("/v1/models")).json()) as { data: { id: string }[] };
    return data.map(({ id }) => id).sort();
  };
  return { host, folder, remove, names };
}

test("a quantization is removed for itself; the engines of the others go on", async () => {
  const { host, folder, remove, names } = await holding(["Q8_0", "Q4_0", "Q5_0"]);
  await using _ = host;
  for (const model of ["org/m", "org/m:Q5_0"])
    expect((await host.chat({ model })).status).toBe(200);
  expect(host.engines.launches).toHaveLength(2);
  expect((await remove("org/m:Q4_0")).status).toBe(204);
  expect(readdirSync(folder)).not.toContain("m-Q4_0.gguf");
  expect(await names()).toEqual(["fixed", "org/m", "org/m:Q5_0"]);
  for (const model of ["org/m", "org/m:Q5_0"])
    expect((await host.chat({ model })).status).toBe(200);
  expect(host.engines.launches).toHaveLength(2);
});

test("the quantization that is meant without a name goes, and the last takes the model", async () => {
  const { host, folder, remove, names } = await holding(["Q8_0", "Q4_0"]);
  await using _ = host;
  expect((await remove("org%2Fm:Q8_0")).status).toBe(204);
  expect(readdirSync(folder).sort()).toEqual(["m-Q4_0.gguf", "manifest.json", "mmproj-F16.gguf"]);
  expect(await names()).toEqual(["fixed", "org/m"]);
  expect((await host.chat({ model: "org/m:Q4_0" })).status).toBe(200);
  expect((await remove("org/m:Q4_0")).status).toBe(204);
  expect(existsSync(folder)).toBe(false);
  expect(await names()).toEqual(["fixed"]);
});

test("what there is not cannot be removed, nor what the settings name", async () => {
  const { host, folder, remove } = await holding(["Q8_0"]);
  await using _ = host;
  for (const name of ["org/m:Q4_0", "org/other", "org/other:Q8_0"]) {
    const error = await errorOf(await remove(name));
    expect(error).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
    expect(error).toMatchObject({ message: expect.stringContaining(name) });
  }
  expect(await errorOf(await remove("fixed"))).toMatchObject({ status: 409 });
  expect(await errorOf(await remove("org/m:"))).toMatchObject({ code: "invalid_model_id" });
  expect(readdirSync(folder)).toContain("m-Q8_0.gguf");
  const list = NodeModelList.parse(await (await host.get("/api/models")).json());
  expect(list.data.map(({ id }) => id)).toEqual(["fixed", "org/m"]);
});
