import { expect, test } from "bun:test";
import { join } from "node:path";
import { ModelsFolder } from "../testkit/modelsfolder.ts";
import { takeLock } from "./filelock.ts";
import { listPendingPulls } from "./pendingpull.ts";

const { signal } = new AbortController();
const file = (name: string) => {
  return { name, size_bytes: 1, sha256: null, mtime_ms: 1, placed_by: "user" };
};

test("pulls that have not ended well are listed with what has come of them", async () => {
  using models = new ModelsFolder();
  const side = { url: "http://h/x", etag: null, size: 100, sha256: null, done: [[0, 40]] };
  const begun = { id: "hf/Org/M", repo: "Org/M", quantization: "Q8_0" };
  models.write({
    "hf/org/m/x-Q8_0.gguf.part": "x",
    "hf/org/m/x-Q8_0.gguf.part.json": side,
    "hf/org/m/mmproj.gguf": "GGUF",
    "hf/org/m/manifest.json.part": {
      ...begun,
      files: [
        { ...file("x-Q8_0.gguf"), size_bytes: 100 },
        { ...file("mmproj.gguf"), size_bytes: 4 },
      ],
    },
    "whole/m.gguf": "GGUF",
  });
  const folder = join(models.path, "hf/org/m");
  const expected = { ...begun, folder, bytes: 44, totalBytes: 104, fetching: false };
  expect(await listPendingPulls(models.path)).toEqual([expected]);
  const lock = await takeLock(join(folder, "x-Q8_0.gguf.lock"), { signal });
  expect(await listPendingPulls(models.path)).toEqual([{ ...expected, fetching: true }]);
  await lock.release();
  expect(await listPendingPulls(join(models.path, "absent"))).toEqual([]);
});
