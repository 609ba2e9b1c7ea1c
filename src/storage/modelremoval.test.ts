import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { ModelsFolder } from "../testkit/modelsfolder.ts";
import { ModelStore } from "./modelstore.ts";

describe("removal", () => {
  test("takes the folder and parents that are empty then", async () => {
    using models = new ModelsFolder().write({ "org/a/model.gguf": "x", "org/a/sub/notes": "x" });
    const store = new ModelStore(models.path);
    expect(await store.remove("org/a")).toBe(true);
    expect(existsSync(join(models.path, "org"))).toBe(false);
    expect(existsSync(models.path)).toBe(true);
  });

  test("of a model that does not exist is no failure", async () => {
    using models = new ModelsFolder();
    expect(await new ModelStore(models.path).remove("org/a")).toBe(false);
  });

  test("leaves models in folders below and beside", async () => {
    using models = new ModelsFolder().write({
      "org/a/model.gguf": "x",
      "org/a/b/model.gguf": "x",
      "org/c/model.gguf": "x",
    });
    const store = new ModelStore(models.path);
    await store.remove("org/a");
    expect((await store.list()).models.map(({ id }) => id)).toEqual(["org/a/b", "org/c"]);
  });

  test("never leaves the models folder", async () => {
    using elsewhere = new ModelsFolder().write({ "m/model.gguf": "x", "w.gguf": "x" });
    using models = new ModelsFolder().write({ "b/model.gguf": "x" });
    symlinkSync(elsewhere.path, join(models.path, "org"));
    symlinkSync(join(elsewhere.path, "m"), join(models.path, "linked"));
    symlinkSync(elsewhere.path, join(models.path, "b/inside"));
    const store = new ModelStore(models.path);
    const outside = await store.remove("../x").catch((error: unknown) => String(error));
    expect(outside).toContain("is invalid");
    await store.remove("linked");
    await store.remove("b");
    const refused = await store.remove("org/m").catch((error: unknown) => String(error));
    expect(refused).toContain("outside of the models folder");
    expect(existsSync(join(elsewhere.path, "m/model.gguf"))).toBe(true);
    expect(existsSync(join(elsewhere.path, "w.gguf"))).toBe(true);
    expect(existsSync(join(models.path, "linked"))).toBe(false);
  });

  test("for sync takes only what sync placed and nobody changed", async () => {
    using models = new ModelsFolder();
    const at = new Date(1_700_000_000_000);
    const entry = (name: string, placed_by: string) => ({
      ...{ name, placed_by, size_bytes: 1, sha256: null, mtime_ms: at.getTime() },
    });
    const names = ["ours.gguf", "theirs.gguf", "changed.gguf"];
    for (const name of names) models.write({ [`m/${name}`]: "x" });
    utimesSync(join(models.path, "m/ours.gguf"), at, at);
    utimesSync(join(models.path, "m/theirs.gguf"), at, at);
    const files = [entry("ours.gguf", "sync"), entry("theirs.gguf", "user")];
    models.write({
      "m/manifest.json": { id: "M", files: [...files, entry("changed.gguf", "sync")] },
    });
    const store = new ModelStore(models.path);
    expect(await store.removeSynced("M")).toEqual(["ours.gguf"]);
    expect(existsSync(join(models.path, "m/theirs.gguf"))).toBe(true);
    expect(existsSync(join(models.path, "m/changed.gguf"))).toBe(true);
    expect(await store.removeSynced("M")).toEqual([]);
    expect(await store.removeSynced("absent")).toEqual([]);
  });

  test("for sync takes the folder too when nothing else is in it", async () => {
    using models = new ModelsFolder().write({ "org/m/model.gguf": "x" });
    const at = new Date(1_700_000_000_000);
    utimesSync(join(models.path, "org/m/model.gguf"), at, at);
    const file = { name: "model.gguf", size_bytes: 1, sha256: null, mtime_ms: at.getTime() };
    models.write({ "org/m/manifest.json": { files: [{ ...file, placed_by: "sync" }] } });
    mkdirSync(join(models.path, "other"));
    await new ModelStore(models.path).removeSynced("org/m");
    expect(existsSync(join(models.path, "org"))).toBe(false);
  });
});
