import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { byteLength, f32, readMetadata, type Tensor, text, u32, writeGguf } from "./gguf.ts";

export interface RandomModel {
  path: string;
  /** Weights in all, more or less. */
  parameters: number;
  type: "q4_0" | "q8_0";
  /** Models of other numbers have other weights. Default: 0. */
  seed?: number;
}

/** Its tokenizer and chat template are used; the vocabulary is small. */
const TOKENIZER = join(import.meta.dir, "../../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");

const FILE_TYPES = { q4_0: 2, q8_0: 7 };
const HEAD_WIDTH = 64;
/** Queries for each key and value. */
const GROUP = 4;

/**
 * Writes a model of the `llama` architecture with random weights: it computes like a real model of
 * this size and type, and talks nonsense. Returns the size of its weights in bytes.
 */
export function writeRandomModel({ path, parameters, type, seed = 0 }: RandomModel): number {
  const tokenizer = readMetadata(readFileSync(TOKENIZER));
  const vocabulary = vocabularySize(tokenizer.get("tokenizer.ggml.tokens"));
  const { width, layers } = shapeOf(parameters);
  const feedForward = feedForwardOf(width);
  const heads = width / HEAD_WIDTH;
  const metadata = new Map([
    ["general.architecture", text("llama")],
    ["general.name", text(`random ${(parameters / 1e9).toPrecision(2)}B`)],
    ["general.file_type", u32(FILE_TYPES[type])],
    ["general.quantization_version", u32(2)],
    ["llama.block_count", u32(layers)],
    ["llama.context_length", u32(8192)],
    ["llama.embedding_length", u32(width)],
    ["llama.feed_forward_length", u32(feedForward)],
    ["llama.attention.head_count", u32(heads)],
    ["llama.attention.head_count_kv", u32(heads / GROUP)],
    ["llama.attention.layer_norm_rms_epsilon", f32(1e-5)],
    ["llama.rope.dimension_count", u32(HEAD_WIDTH)],
    ["llama.vocab_size", u32(vocabulary)],
  ]);
  for (const [key, value] of tokenizer) if (key.startsWith("tokenizer.")) metadata.set(key, value);
  const matrix = (name: string, [from, to]: [number, number]): Tensor => ({
    name: `${name}.weight`,
    shape: [from, to],
    type,
    scale: 1 / Math.sqrt(from),
  });
  const norm = (name: string): Tensor => ({
    name: `${name}.weight`,
    shape: [width],
    type: "f32",
    scale: 1,
  });
  const tensors = [matrix("token_embd", [width, vocabulary]), norm("output_norm")];
  for (let i = 0; i < layers; i += 1) {
    tensors.push(
      norm(`blk.${i}.attn_norm`),
      matrix(`blk.${i}.attn_q`, [width, width]),
      matrix(`blk.${i}.attn_k`, [width, width / GROUP]),
      matrix(`blk.${i}.attn_v`, [width, width / GROUP]),
      matrix(`blk.${i}.attn_output`, [width, width]),
      norm(`blk.${i}.ffn_norm`),
      matrix(`blk.${i}.ffn_gate`, [width, feedForward]),
      matrix(`blk.${i}.ffn_up`, [width, feedForward]),
      matrix(`blk.${i}.ffn_down`, [feedForward, width]),
    );
  }
  mkdirSync(dirname(path), { recursive: true });
  writeGguf(path, { metadata, tensors, seed });
  return tensors.reduce((sum, tensor) => sum + byteLength(tensor), 0);
}

/** As wide in proportion to its depth as models of the Llama family are. */
function shapeOf(parameters: number): { width: number; layers: number } {
  const perLayer = (width: number) => 2.5 * width ** 2 + 3 * width * feedForwardOf(width);
  let width = GROUP * HEAD_WIDTH;
  while (perLayer(width) * (width / HEAD_WIDTH) < parameters) width += GROUP * HEAD_WIDTH;
  return { width, layers: Math.max(1, Math.round(parameters / perLayer(width))) };
}

function feedForwardOf(width: number): number {
  return Math.round((width * 2.75) / 256) * 256;
}

/** Length of an encoded array: behind the types of array and element. */
function vocabularySize(tokens: Uint8Array | undefined): number {
  if (tokens === undefined) throw new Error(`${TOKENIZER} has no tokenizer`);
  return Number(new DataView(tokens.buffer, tokens.byteOffset).getBigUint64(8, true));
}

/** Weights by a size such as `300MB` (of the file) or `1.5B` (weights). */
export function parametersOf(size: string, type: RandomModel["type"]): number {
  const found = /^(\d+(?:\.\d+)?)(MB|GB|M|B)$/.exec(size);
  if (found === null) throw new Error(`--size ${size}: write it as 300MB, 4GB, 135M or 1.5B`);
  const [, number, unit] = found;
  const scale = { MB: 1e6, GB: 1e9, M: 1e6, B: 1e9 }[unit ?? ""] ?? 1;
  const bytesPerWeight = type === "q8_0" ? 34 / 32 : 18 / 32;
  return (Number(number) * scale) / (unit?.length === 2 ? bytesPerWeight : 1);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      size: { type: "string", default: "300MB" },
      type: { type: "string", default: "q8_0" },
      out: { type: "string" },
    },
  });
  const type = values.type === "q4_0" ? "q4_0" : "q8_0";
  const path = values.out ?? `random-${values.size}-${type}.gguf`;
  const bytes = writeRandomModel({ path, parameters: parametersOf(values.size, type), type });
  process.stdout.write(`${path}: ${(bytes / 1e6).toFixed(0)} MB of weights\n`);
}
