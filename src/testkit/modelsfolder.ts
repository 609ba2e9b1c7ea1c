import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A temporary models folder, removed by `using`. */
export class ModelsFolder {
  readonly path = mkdtempSync(join(tmpdir(), "llmlb-models-"));

  /** Writes files, by path below the folder; what is no text is written as JSON. */
  write(files: Record<string, string | object>): this {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.path, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    }
    return this;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What a safetensors model needs beside its weights. */
export const CONFIG = { model_type: "qwen3", architectures: ["Qwen3ForCausalLM"] };

const u32 = (value: number) => Buffer.from(new Uint32Array([value]).buffer);
const u64 = (value: number) => Buffer.from(new BigUint64Array([BigInt(value)]).buffer);
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** The bytes of a GGUF file that has metadata only. */
export function ggufBytes(metadata: Record<string, string | number | number[]>): Buffer {
  const entries = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === "string") return Buffer.concat([text(key), u32(8), text(value)]);
    if (typeof value === "number") return Buffer.concat([text(key), u32(4), u32(value)]);
    const array = [u32(9), u32(4), u64(value.length), ...value.map(u32)];
    return Buffer.concat([text(key), ...array]);
  });
  return Buffer.concat([Buffer.from("GGUF"), u32(3), u64(0), u64(entries.length), ...entries]);
}
