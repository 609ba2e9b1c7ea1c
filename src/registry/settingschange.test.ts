import { expect, test } from "bun:test";
import { changedSettings } from "./settingschange.ts";

const take = (value: object) => value as never;

test("a change names what changes, and null takes back", async () => {
  expect(await changedSettings(null, { ctx_size: 1, parallel: 2 })).toEqual({
    ...{ ctx_size: 1, parallel: 2 },
  });
  const before = { ctx_size: 1, parallel: 2 };
  expect(await changedSettings(before, take({ parallel: null, pin: true }))).toEqual({
    ...{ ctx_size: 1, pin: true },
  });
  expect(await changedSettings(before, undefined)).toBe(before);
  expect(await changedSettings(before, null)).toBeNull();
  expect(await changedSettings({ pin: true }, take({ pin: null }))).toBeNull();
});

test.each([
  [{ lora: ["/etc/x.gguf"] }, "/etc/x.gguf must be the name of a file beside"],
  [{ model_draft: "..\\d.gguf" }, "must be the name of a file beside"],
  [{ args: ["--log-file", "x"] }, "--log-file names something of one host"],
  [{ args: ["--slot-save-path=x"] }, "--slot-save-path names something of one host"],
  [{ args: ["-dev", "CUDA0"] }, "-dev names something of one host"],
  [{ args: ["--device-draft", "CUDA0"] }, "--device-draft names something of one host"],
  [{ device: "CUDA0" }, "device names something of one host"],
  [{ args: ["--temp", "hot"] }, "args: hot is no number"],
])("settings that are wrong for all nodes are refused: %j", async (change, message) => {
  const fault = async (args: string[]) => (args.includes("hot") ? "hot is no number" : undefined);
  await expect(changedSettings(null, change, fault)).rejects.toThrow(message);
  expect(
    await changedSettings(null, { lora: ["a.gguf:0.5"], args: ["--temp", "1"] }, fault),
  ).toEqual({
    ...{ lora: ["a.gguf:0.5"], args: ["--temp", "1"] },
  });
});
