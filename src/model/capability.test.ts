import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPooling, readProjectorCapability } from "./capability.ts";

const folder = mkdtempSync(join(tmpdir(), "llmlb-gguf-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const u32 = (value: number) => Buffer.from(new Uint32Array([value]).buffer);
const u64 = (value: number) => Buffer.from(new BigUint64Array([BigInt(value)]).buffer);
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

const entry = {
  u32: (key: string, value: number) => Buffer.concat([text(key), u32(4), u32(value)]),
  bool: (key: string, value = true) =>
    Buffer.concat([text(key), u32(7), Buffer.from([value ? 1 : 0])]),
  text: (key: string, value: string) => Buffer.concat([text(key), u32(8), text(value)]),
  texts: (key: string, values: string[]) =>
    Buffer.concat([text(key), u32(9), u32(8), u64(values.length), ...values.map(text)]),
  floats: (key: string, count: number) =>
    Buffer.concat([text(key), u32(9), u32(6), u64(count), Buffer.alloc(4 * count)]),
};

function write(entries: Buffer[], count = entries.length): string {
  const path = join(folder, `${crypto.randomUUID()}.gguf`);
  const head = [Buffer.from("GGUF"), u32(3), u64(0), u64(count)];
  writeFileSync(path, Buffer.concat([...head, ...entries]));
  return path;
}

test("the pooling is found behind values of all kinds", async () => {
  const before = [
    entry.text("general.architecture", "bert"),
    entry.texts("general.tags", ["a", "bc"]),
    entry.floats("bert.scales", 3),
    entry.bool("bert.attention.causal"),
  ];
  expect(await readPooling(write([...before, entry.u32("bert.pooling_type", 2)]))).toBe("cls");
  expect(await readPooling(write([entry.u32("qwen3.pooling_type", 3)]))).toBe("last");
  expect(await readPooling(write([entry.u32("qwen3.pooling_type", 4)]))).toBe("rank");
});

test("a model without pooling, or with none, has none", async () => {
  expect(await readPooling(write([entry.u32("llama.context_length", 2)]))).toBeUndefined();
  expect(await readPooling(write([entry.u32("llama.pooling_type", 0)]))).toBeUndefined();
  const tiny = join(import.meta.dir, "../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");
  expect(await readPooling(tiny)).toBeUndefined();
});

test("missing, foreign, cut and lying files are no error", async () => {
  expect(await readPooling(join(folder, "absent.gguf"))).toBeUndefined();
  expect(await readPooling(import.meta.path)).toBeUndefined();
  expect(await readPooling(folder)).toBeUndefined();
  expect(await readPooling(write([entry.bool("a.b")], 1_000_000))).toBeUndefined();
  const endless = Buffer.concat([text("a"), u32(8), u64(2 ** 53)]);
  expect(await readPooling(write([endless, entry.u32("x.pooling_type", 1)]))).toBeUndefined();
  const empty = join(folder, "empty.gguf");
  writeFileSync(empty, "");
  expect(await readPooling(empty)).toBeUndefined();
});

test("a projector says what it is for, images where it says nothing", async () => {
  const tiny = join(import.meta.dir, "../../fixtures/llmlb-tiny/mmproj-llmlb-tiny-f16.gguf");
  expect(await readProjectorCapability(tiny)).toEqual({ vision: true, audio: false });
  const [vision, audio] = ["clip.has_vision_encoder", "clip.has_audio_encoder"];
  const projector = (...entries: Buffer[]) =>
    readProjectorCapability(write([entry.floats("a", 2), ...entries]));
  expect(await projector(entry.bool(audio))).toEqual({ vision: false, audio: true });
  expect(await projector(entry.bool(audio), entry.bool(vision))).toEqual({
    ...{ vision: true, audio: true },
  });
  expect(await projector(entry.bool(vision, false))).toEqual({ vision: false, audio: false });
  expect(await projector()).toEqual({ vision: true, audio: false });
  expect(await readProjectorCapability(join(folder, "absent.gguf"))).toEqual({
    vision: true,
    audio: false,
  });
});
