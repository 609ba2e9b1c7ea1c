import { z } from "zod";
import { closestWord } from "../lib/closestword.ts";
import { parseKeepAlive } from "./keepalive.ts";
import { type OptionValue, readOption } from "./optionvalue.ts";

/** A setting that is one argument of llama-server with a value. */
interface OptionRule {
  flag: string;
  /** See `readOption`. */
  value: OptionValue;
  /** Other names by which it is read: Ollama's, llama.cpp's and plain ones. */
  others?: readonly string[];
}

const CACHE_TYPES = "f32 f16 bf16 q8_0 q5_1 q5_0 q4_1 q4_0 iq4_nl".split(" ");
const NGRAMS = "ngram-simple ngram-map-k ngram-map-k4v ngram-mod ngram-cache".split(" ");
const DRAFTS = "draft-simple draft-eagle3 draft-mtp draft-dflash draft-dspark".split(" ");
const POOLINGS = "none mean cls last rank".split(" ");

const DEVICES = {
  each: /^[\w.:[\]-]{1,128}$/,
  expected: "names of devices such as CUDA0,CUDA1 (llmlb backend devices), or none",
};
const SHARES = {
  each: /^\d+(?:\.\d+)?$/,
  expected: "each device's share of the model, such as 3,1",
};

/** The settings with a llama-server argument of their own, named as that is. */
const MODEL_OPTIONS = {
  ctx_size: { flag: "--ctx-size", value: { whole: [0, 1e9] }, others: ["context", "num_ctx"] },
  parallel: { flag: "--parallel", value: { whole: [1, 1024] }, others: ["slots", "num_parallel"] },
  gpu_layers: {
    flag: "--gpu-layers",
    value: { whole: [0, 100_000], words: ["auto", "all"] },
    others: ["n_gpu_layers", "num_gpu", "ngl"],
  },
  device: { flag: "--device", value: { parts: DEVICES }, others: ["devices"] },
  split_mode: { flag: "--split-mode", value: { words: ["none", "layer", "row", "tensor"] } },
  tensor_split: { flag: "--tensor-split", value: { parts: SHARES } },
  main_gpu: { flag: "--main-gpu", value: { whole: [0, 127] } },
  threads: { flag: "--threads", value: { whole: [1, 4096] }, others: ["num_thread"] },
  batch_size: { flag: "--batch-size", value: { whole: [1, 1e6] }, others: ["num_batch"] },
  ubatch_size: { flag: "--ubatch-size", value: { whole: [1, 1e6] } },
  cache_type_k: { flag: "--cache-type-k", value: { words: CACHE_TYPES } },
  cache_type_v: { flag: "--cache-type-v", value: { words: CACHE_TYPES } },
  flash_attn: {
    flag: "--flash-attn",
    value: { words: ["on", "off", "auto"] },
    others: ["flash_attention"],
  },
  model_draft: { flag: "--model-draft", value: { file: true }, others: ["draft"] },
  spec_type: {
    flag: "--spec-type",
    value: { words: [...NGRAMS, ...DRAFTS] },
    others: ["speculation"],
  },
  pooling: { flag: "--pooling", value: { words: POOLINGS } },
  chat_template: { flag: "--chat-template", value: { text: 1_000_000 } },
  chat_template_file: { flag: "--chat-template-file", value: { file: true } },
  temp: { flag: "--temp", value: { number: [0, 100] }, others: ["temperature"] },
  top_k: { flag: "--top-k", value: { whole: [0, 1e6] } },
  top_p: { flag: "--top-p", value: { number: [0, 1] } },
  min_p: { flag: "--min-p", value: { number: [0, 1] } },
  repeat_penalty: { flag: "--repeat-penalty", value: { number: [0, 100] } },
  presence_penalty: { flag: "--presence-penalty", value: { number: [-100, 100] } },
  frequency_penalty: { flag: "--frequency-penalty", value: { number: [-100, 100] } },
  seed: { flag: "--seed", value: { whole: [0, 2 ** 32 - 1] } },
} as const satisfies Record<string, OptionRule>;

type OptionName = keyof typeof MODEL_OPTIONS;

/** The names of all settings of a model. */
export const RUN_SETTING_NAMES = [
  ...Object.keys(MODEL_OPTIONS),
  "lora",
  "workers",
  "keep_alive",
  "pin",
  "fit",
];

/** How one model runs, whatever it is named by: an operator's settings for it. */
export type RunSettings = Partial<Record<OptionName, string | number>> & {
  /** Files of LoRA adapters, `file` or `file:scale` each. */
  lora?: string[];
  /** The nodes whose devices it uses besides its own node's, by their names. */
  workers?: string[];
  /** Further arguments of llama-server; they win over the settings above. */
  args?: string[];
  /** As requests say it; see `parseKeepAlive`. */
  keep_alive?: string | number;
  /** It stays loaded, whoever needs its memory. */
  pin?: boolean;
  /**
   * Whether it gets a shorter context or fewer layers on devices where it would not fit: `auto`,
   * also where they are set; `off`, not at all.
   */
  fit?: "auto" | "off";
};

const LIST_MAX = 256;
const WORD_CHARS_MAX = 4096;
const OPTIONS: [name: OptionName, rule: OptionRule][] = Object.entries(MODEL_OPTIONS) as never;
const NAMES = new Map<string, string>([
  ...OPTIONS.flatMap(([name, { others = [] }]) => {
    return [name, ...others].map((one): [string, string] => [one, name]);
  }),
  ...["lora", "args", "workers", "keep_alive", "pin", "fit"].map((one): [string, string] => {
    return [one, one];
  }),
  ["pinned", "pin"],
  ["worker", "workers"],
]);

/** Whether a setting has this name. */
export function isRunSetting(name: string): boolean {
  return NAMES.has(plainName(name));
}

function plainName(name: string): string {
  return name.replace(/^--?/, "").replaceAll("-", "_");
}

/**
 * Reads a model's settings from an object with any of their names. Returns a message instead if one
 * is wrong.
 */
export function readRunSettings(
  given: Record<string, unknown>,
  { nullable = false } = {},
): RunSettings | string {
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const plain = plainName(key);
    const name = NAMES.get(plain);
    if (name === undefined) return unknownSetting(key, plain);
    if (name in settings) return `${key}: is there twice, also as ${name}`;
    const isTakenBack = nullable && value === null;
    const read = isTakenBack ? { value } : readSetting(name, value);
    if (typeof read === "string") return `${key}: ${read}`;
    settings[name] = read.value;
  }
  return settings;
}

function readSetting(name: string, value: unknown): { value: unknown } | string {
  if (name === "pin") return typeof value === "boolean" ? { value } : "must be true or false";
  if (name === "fit")
    return value === "auto" || value === "off" ? { value } : "must be auto or off";
  if (name === "keep_alive") {
    if (parseKeepAlive(value) !== undefined) return { value };
    return "must be a time such as 5m or 1h30m, 0, or -1 for good";
  }
  if (name === "workers") return readWorkers(value);
  if (name === "lora" || name === "args") {
    const list = typeof value === "string" && name === "lora" ? [value] : value;
    const isWord = (one: unknown) => typeof one === "string" && one.length <= WORD_CHARS_MAX;
    if (Array.isArray(list) && list.length <= LIST_MAX && list.every(isWord)) {
      return { value: list };
    }
    const example = name === "lora" ? '["adapter.gguf"]' : '["--temp", "0.2"]';
    return `must be a list of texts such as ${example}`;
  }
  return readOption(MODEL_OPTIONS[name as OptionName].value, value);
}

/** As many servers as llama.cpp takes (`GGML_RPC_MAX_SERVERS`). */
const WORKERS_MAX = 16;
const WORKER_NAME = /^[^\s,\p{Cc}]{1,100}$/u;

function readWorkers(value: unknown): { value: unknown } | string {
  const names = typeof value === "string" ? value.split(",") : value;
  const isList = Array.isArray(names) && names.length <= WORKERS_MAX;
  const isName = (one: unknown) => typeof one === "string" && WORKER_NAME.test(one);
  if (isList && names.every(isName) && new Set(names).size === names.length)
    return { value: names };
  return `must be a list of at most ${WORKERS_MAX} names of workers such as ["gpu2", "gpu3"]`;
}

function unknownSetting(key: string, plain: string): string {
  const similar = closestWord(plain, NAMES.keys());
  if (similar !== undefined) return `there is no setting "${key}": did you mean "${similar}"?`;
  const names = [...new Set(NAMES.values())].join(", ");
  return `there is no setting "${key}": there are ${names}; others of llama-server go into args`;
}

/** A schema for the settings of a model. */
export const RunSettings: z.ZodType<RunSettings> = schema(false);

/** A schema for changes of them: null takes a setting back. */
export const RunSettingsChange: z.ZodType<RunSettings> = schema(true);

function schema(nullable: boolean): z.ZodType<RunSettings> {
  const record = z.record(z.string(), z.unknown(), "`settings` must be an object");
  return record.transform((given, ctx) => {
    const settings = readRunSettings(given, { nullable });
    if (typeof settings !== "string") return settings;
    ctx.addIssue(`\`settings\`: ${settings}`);
    return z.NEVER;
  });
}

/** The settings with their files' paths changed by `change`. */
export function withFiles(settings: RunSettings, change: (path: string) => string): RunSettings {
  const changed: RunSettings = { ...settings };
  for (const [name, { value }] of OPTIONS) {
    const path = settings[name];
    if ("file" in value && typeof path === "string") changed[name] = change(path);
  }
  if (settings.lora !== undefined) {
    changed.lora = settings.lora.map((one) => {
      const [path, scale] = splitScale(one);
      return change(path) + (scale === undefined ? "" : `:${scale}`);
    });
  }
  return changed;
}

/** llama-server's arguments for a model's settings. `args` are the last. */
export function settingArguments(settings: RunSettings): string[] {
  const { args = [] } = settings;
  const all = {
    ...settings,
    spec_type: args.includes("--spec-type") ? undefined : specType(settings),
  };
  const options = OPTIONS.flatMap(([name, { flag }]) => {
    const value = all[name];
    return value === undefined ? [] : [flag, String(value)];
  });
  const adapters = (settings.lora ?? []).flatMap((one) => {
    const [path, scale] = splitScale(one);
    return scale === undefined ? ["--lora", path] : ["--lora-scaled", `${path}:${scale}`];
  });
  return [...options, ...adapters, ...args];
}

/** llama-server loads a draft model and then leaves it alone, unless its type is named, too. */
function specType({ model_draft: draft, spec_type: type }: RunSettings) {
  if (draft === undefined || DRAFTS.includes(String(type))) return type;
  return type === undefined ? "draft-simple" : `${type},draft-simple`;
}

function splitScale(adapter: string): [path: string, scale: string | undefined] {
  const [, path = adapter, scale] = /^(.+):(-?\d+(?:\.\d+)?)$/.exec(adapter) ?? [];
  return [path, scale];
}
