import { expect, test } from "bun:test";
import type { RunSettings } from "../../../wire/runsettings.ts";
import { changeOf, draftOf, fieldOf } from "./settingsdraft.ts";

const EMPTY = draftOf(null);

test("a form that nobody has touched says what there was", () => {
  const before: RunSettings = {
    ...{ ctx_size: 8192, pin: true, lora: ["a.gguf", "b.gguf:0.5"], keep_alive: "5m", temp: 0.2 },
    ...{ chat_template: "{{ a }}\n\\n{{ b }}" },
    ...{ workers: ["gpu2", "gpu3"], fit: "off" },
    args: ["--mlock", "--override-kv", "a=int:1", "--control-vector-layer-range", "1", "10"],
  };
  const draft = draftOf(before);
  expect(draft).toMatchObject({ ctx_size: "8192", pin: "true", lora: "a.gguf, b.gguf:0.5" });
  expect(changeOf(draft, before)).toEqual({ settings: before });
});

test("what was taken out is taken back", () => {
  const before: RunSettings = { ctx_size: 8192, parallel: 2, args: ["--mlock"] };
  const draft = { ...draftOf(before), ctx_size: "", more: "" };
  expect(changeOf(draft, before)).toEqual({
    settings: { parallel: 2, ctx_size: null, args: null },
  });
});

test("lines are settings by any of their names, else arguments", () => {
  const more = "temperature=0.2\nmlock\nno_mmap\n--cache-reuse = 256\n";
  expect(changeOf({ ...EMPTY, more }, null)).toEqual({
    settings: { temp: 0.2, args: ["--mlock", "--no-mmap", "--cache-reuse", "256"] },
  });
});

test("what is wrong is told at its field", () => {
  const draft = { ...EMPTY, ctx_size: "many", keep_alive: "soon", more: "top_p=3" };
  expect(changeOf(draft, null)).toEqual({
    faults: {
      ctx_size: "must be a whole number from 0 to 1000000000",
      keep_alive: expect.stringContaining("5m"),
      more: expect.stringContaining("top_p: must be a number from 0 to 1"),
    },
  });
  expect(changeOf({ ...EMPTY, more: "two words=1" }, null)).toMatchObject({
    faults: { more: expect.stringContaining("name=value") },
  });
  expect(changeOf({ ...EMPTY, ctx_size: "4096", more: "num_ctx=2048" }, null)).toEqual({
    faults: { more: "num_ctx: is there twice" },
  });
});

test("a refusal is told at the field that it names", () => {
  expect(fieldOf("The request is invalid: `settings`: lora: must be …")).toBe("lora");
  expect(fieldOf("The request is invalid: `settings`: args: --nonsense is unknown")).toBe("more");
  expect(fieldOf("It broke")).toBe("more");
});
