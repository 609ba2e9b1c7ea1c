import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { ModelsFolder } from "../testkit/modelsfolder.ts";
import { failing } from "../testkit/pullbench.ts";
import { ModelStore } from "./modelstore.ts";
import { removeQuantization } from "./quantizationremoval.ts";

const { signal } = new AbortController();
const file = (name: string) => {
  return { name, size_bytes: 1, sha256: null, mtime_ms: 1, placed_by: "user" };
};

test("one quantization goes with its parts; the others stay, and the record says so", async () => {
  using models = new ModelsFolder();
  const parts = ["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"];
  const all = [...parts, "m-Q4_K_M.gguf", "mmproj-F16.gguf"];
  models.write(Object.fromEntries(all.map((name) => [`org/m/${name}`, "GGUF"])));
  const record = { id: "org/m", quantization: "Q8_0", files: all.map(file) };
  models.write({ "org/m/manifest.json": record });
  const folder = join(models.path, "org/m");
  const options = { root: models.path, folder, quantization: "Q8_0", signal };
  await removeQuantization({ ...options, files: parts });
  expect(readdirSync(folder).sort()).toEqual(["m-Q4_K_M.gguf", "manifest.json", "mmproj-F16.gguf"]);
  const written = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  expect(written).toEqual({ id: "org/m", files: all.slice(2).map(file) });

  const last = { ...options, quantization: "Q4_K_M", files: ["m-Q4_K_M.gguf"] };
  await removeQuantization(last);
  expect(existsSync(join(models.path, "org"))).toBe(false);
  expect(existsSync(models.path)).toBe(true);
});

test("another quantization than the meant one leaves that", async () => {
  using models = new ModelsFolder();
  models.write({ "m/m-Q8_0.gguf": "GGUF", "m/m-Q4_0.gguf": "GGUF" });
  models.write({ "m/manifest.json": { quantization: "Q8_0" } });
  const folder = join(models.path, "m");
  const files = ["m-Q4_0.gguf"];
  await removeQuantization({ root: models.path, folder, files, quantization: "Q4_0", signal });
  const written = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  expect(written).toEqual({ quantization: "Q8_0", files: [] });
});

test("the meant quantization goes from the record, however it was named", async () => {
  using models = new ModelsFolder();
  models.write({ "m/m-q8_0.gguf": "GGUF", "m/m-q4_0.gguf": "GGUF" });
  models.write({ "m/manifest.json": { quantization: "q8_0" } });
  expect(await new ModelStore(models.path).removeQuantization("m", "Q8_0", signal)).toBe(true);
  const folder = join(models.path, "m");
  expect(readdirSync(folder).sort()).toEqual(["m-q4_0.gguf", "manifest.json"]);
  const written = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  expect(written).toEqual({ files: [] });
});

test("what a link leads to is left alone", async () => {
  using models = new ModelsFolder();
  using elsewhere = new ModelsFolder();
  elsewhere.write({ "m/m-Q8_0.gguf": "GGUF", "m/m-Q4_0.gguf": "GGUF" });
  symlinkSync(join(elsewhere.path, "m"), join(models.path, "m"));
  const folder = join(models.path, "m");
  const options = { root: models.path, folder, quantization: "Q8_0", signal };
  const error = await failing(removeQuantization({ ...options, files: ["m-Q8_0.gguf"] }));
  expect(error).toMatchObject({ status: 409, code: "model_elsewhere" });
  expect(readdirSync(join(elsewhere.path, "m"))).toHaveLength(2);
});
