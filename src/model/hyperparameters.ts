import type { GgufMetadata, GgufValue } from "./gguf.ts";

/** The parameters of a model that decide how much memory it takes. */
export interface Hyperparameters {
  /** Tokens of context that the model was trained for. */
  trainedContext: number;
  layers: LayerHyperparameters[];
  embedding: number;
  /** Width of the feed-forward stage; in a mixture of experts, of all that a token uses. */
  feedForward: number;
  vocabulary: number;
  heads: number;
  /** Tokens that a layer with a sliding window sees; 0 if there are no such layers. */
  window: number;
}

/** What one layer keeps in the cache. */
export interface LayerHyperparameters {
  /** Numbers for each token: keys, values. */
  keys: number;
  values: number;
  /** Whether it sees only the tokens of the window. */
  sliding: boolean;
  /** Numbers for each slot, however many tokens it has: the state of a recurrent layer. */
  state: number;
}

/**
 * One of so many layers sees the whole context, by architecture, if the file does not say it.
 * Source: `load_swa_pattern` in llama.cpp's src/models.
 */
const PATTERNS: Record<string, number> = {
  afmoe: 4,
  cohere2: 4,
  "exaone-moe": 4,
  exaone4: 4,
  gemma2: 2,
  gemma3: 6,
  gemma3n: 5,
  "gemma-embedding": 6,
  "gpt-oss": 2,
  llama4: 4,
  olmo2: 4,
  plamo3: 8,
};

const LAYERS_MAX = 10_000;

/** The hyperparameters that a file's metadata states; undefined if it is not of a text model. */
export function hyperparametersOf(metadata: GgufMetadata): Hyperparameters | undefined {
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string") return undefined;
  const value = (name: string) => metadata.get(`${architecture}.${name}`);
  const number = (name: string, otherwise = 0) => numberOf(value(name)) ?? otherwise;
  const count = number("block_count");
  const embedding = number("embedding_length");
  if (count < 1 || count > LAYERS_MAX || embedding < 1) return undefined;
  const heads = maximum(value("attention.head_count")) ?? 1;
  const window = number("attention.sliding_window");
  const isSliding = slidingLayers(value("attention.sliding_window_pattern"), architecture, window);
  const layers = Array.from({ length: count }, (_, i) => {
    const keyHeads =
      at(value("attention.head_count_kv"), i) ?? at(value("attention.head_count"), i);
    return layerOf(number, { heads, keyHeads: keyHeads ?? heads, sliding: isSliding(i), layer: i });
  });
  return {
    trainedContext: number("context_length", 4096),
    layers,
    embedding,
    feedForward: feedForwardOf(number, maximum(value("feed_forward_length")) ?? 4 * embedding),
    vocabulary: number("vocab_size") || tokensOf(metadata.get("tokenizer.ggml.tokens")),
    heads,
    window,
  };
}

type NumberOf = (name: string, otherwise?: number) => number;

interface LayerFacts {
  heads: number;
  keyHeads: number;
  sliding: boolean;
  layer: number;
}

function layerOf(
  number: NumberOf,
  { heads, keyHeads, sliding, layer }: LayerFacts,
): LayerHyperparameters {
  const width = Math.floor(number("embedding_length") / heads);
  const none = { keys: 0, values: 0, sliding: false };
  const state = stateOf(number);
  // In a hybrid model, one of so many layers attends, or those with key heads; the rest recur.
  const every = number("full_attention_interval");
  const recurrent =
    every > 0 ? (layer + 1) % every !== 0 : keyHeads === 0 || number("attention.head_count") === 0;
  if (state > 0 && recurrent) return { ...none, state };
  const rank = number("attention.kv_lora_rank");
  if (rank > 0 && number("attention.key_length_mla") > 0) {
    // Keys and values are stored as one compressed row.
    const row = number("attention.key_length", rank + number("rope.dimension_count"));
    return { keys: row, values: 0, sliding, state: 0 };
  }
  const swa = sliding ? "_swa" : "";
  const length = (name: string) =>
    number(`attention.${name}_length${swa}`) || number(`attention.${name}_length`, width);
  const keys = keyHeads * length("key");
  return { keys, values: keyHeads * length("value"), sliding, state: 0 };
}

/** Numbers that a recurrent layer keeps for one sequence: its convolution and its state. */
function stateOf(number: NumberOf): number {
  const wkv = number("wkv.head_size");
  const embedding = number("embedding_length");
  if (wkv > 0) return embedding * wkv + number("token_shift_count", 2) * embedding;
  const shortConv = number("shortconv.l_cache");
  if (shortConv > 0) return embedding * (shortConv - 1);
  const [inner, state] = [number("ssm.inner_size"), number("ssm.state_size")];
  const convolution = Math.max(0, number("ssm.conv_kernel") - 1);
  return state * inner + convolution * (inner + 2 * number("ssm.group_count") * state);
}

function feedForwardOf(number: NumberOf, dense: number): number {
  const used = number("expert_used_count");
  if (used === 0) return dense;
  const shared = number("expert_shared_feed_forward_length");
  return Math.max(dense, used * number("expert_feed_forward_length", dense) + shared);
}

function slidingLayers(
  pattern: GgufValue | undefined,
  architecture: string,
  window: number,
): (layer: number) => boolean {
  if (window === 0) return () => false;
  if (Array.isArray(pattern)) return (layer) => (pattern[layer] ?? 0) !== 0;
  const every = numberOf(pattern) ?? PATTERNS[architecture];
  // It is unknown which layers have the window: none is assumed to.
  if (every === undefined) return () => false;
  return (layer) => every === 0 || layer % every < every - 1;
}

function numberOf(value: GgufValue | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function at(value: GgufValue | undefined, layer: number): number | undefined {
  return Array.isArray(value) ? value[layer] : numberOf(value);
}

function maximum(value: GgufValue | undefined): number | undefined {
  return Array.isArray(value) ? Math.max(1, ...value) : numberOf(value);
}

function tokensOf(value: GgufValue | undefined): number {
  return typeof value === "object" && !Array.isArray(value) ? value.texts : 0;
}
