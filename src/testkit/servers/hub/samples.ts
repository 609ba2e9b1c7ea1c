import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NewRepo } from "./repo.ts";

/** Repositories of the usual layouts; only the tiny model's weights are real. */

const FIXTURE = join(import.meta.dir, "../../../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");

/** Bytes that are the same every time, and other ones for another seed. */
export function someBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** The tiny model as a repository with one GGUF file. */
export function tinyRepo(name = "llmlb/tiny-GGUF", file = "llmlb-tiny-Q8_0.gguf"): NewRepo {
  return {
    name,
    files: { [file]: readFileSync(FIXTURE), "README.md": "# Tiny\n" },
    tags: ["gguf"],
    downloads: 42,
    likes: 7,
    gguf: { architecture: "llama", context_length: 2048, chat_template: "{{ messages }}" },
  };
}

/** GGUF files of several quantizations, one of them split, with a projector. */
export function variantsRepo(name = "acme/Llama-3-8B-GGUF"): NewRepo {
  return {
    name,
    files: {
      "README.md": "# Llama\n",
      "Llama-3-8B-Q4_K_M.gguf": someBytes(4000, 4),
      "Llama-3-8B-Q8_0.gguf": someBytes(8000, 8),
      "BF16/Llama-3-8B-BF16-00001-of-00003.gguf": someBytes(6000, 11),
      "BF16/Llama-3-8B-BF16-00002-of-00003.gguf": someBytes(6000, 12),
      "BF16/Llama-3-8B-BF16-00003-of-00003.gguf": someBytes(3000, 13),
      "mmproj-F16.gguf": someBytes(500, 5),
    },
    tags: ["gguf"],
    gguf: { architecture: "llama", context_length: 8192, chat_template: "{{ gguf }}" },
  };
}

/** GGUF files whose names are in lower case, as Qwen's own are; one is split. */
export function lowercaseRepo(name = "acme/qwen3-8b-gguf"): NewRepo {
  return {
    name,
    files: {
      "qwen3-8b-q2_k.gguf": someBytes(2000, 22),
      "qwen3-8b-q4_k_m.gguf": someBytes(4000, 24),
      "qwen3-8b-q8_0-00001-of-00002.gguf": someBytes(5000, 28),
      "qwen3-8b-q8_0-00002-of-00002.gguf": someBytes(3000, 29),
      "qwen3-8b-fp16.gguf": someBytes(16_000, 36),
    },
    tags: ["gguf"],
    gguf: { architecture: "qwen3", context_length: 8192, chat_template: "{{ gguf }}" },
  };
}

/** Weights as safetensors in `shards` files with their index, and what stands around them. */
export function safetensorsRepo(name = "acme/Qwen3-0.6B", shards = 2): NewRepo {
  const number = (n: number) => String(n).padStart(5, "0");
  const paths = Array.from({ length: shards }, (_, i) =>
    shards === 1 ? "model.safetensors" : `model-${number(i + 1)}-of-${number(shards)}.safetensors`,
  );
  const weight_map = Object.fromEntries(paths.map((path, i) => [`layer.${i}.weight`, path]));
  const total_size = shards * 2000;
  return {
    name,
    files: {
      "config.json": JSON.stringify({ architectures: ["Qwen3ForCausalLM"], model_type: "qwen3" }),
      "tokenizer.json": JSON.stringify({ version: "1.0" }),
      "tokenizer_config.json": JSON.stringify({ chat_template: "{{ tokenizer }}" }),
      ...Object.fromEntries(paths.map((path, i) => [path, someBytes(2000, i + 1)])),
      ...(shards > 1
        ? {
            "model.safetensors.index.json": JSON.stringify({
              metadata: { total_size },
              weight_map,
            }),
          }
        : {}),
    },
    tags: ["safetensors"],
    config: { architectures: ["Qwen3ForCausalLM"], model_type: "qwen3" },
  };
}

/** An adapter (LoRA) on top of another repository's model. */
export function adapterRepo(name = "acme/Qwen3-lora", base = "acme/Qwen3-0.6B"): NewRepo {
  return {
    name,
    files: {
      "adapter_config.json": JSON.stringify({ peft_type: "LORA", base_model_name_or_path: base }),
      "adapter_model.safetensors": someBytes(900, 9),
    },
    tags: ["lora", "peft", `base_model:adapter:${base}`],
  };
}
