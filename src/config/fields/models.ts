import { type ModelSetting, modelList, type NamedPath, projectorList } from "../values/model.ts";
import {
  bytes,
  duration,
  keepAlive,
  nameList,
  oneOf,
  orNone,
  wholeNumber,
} from "../values/scalar.ts";
import { shellWords } from "../values/shellwords.ts";
import type { FieldsOf } from "./field.ts";

const SECOND_MS = 1000;

/** The models of this machine that a node serves, and how they run. */
export interface ModelSettings {
  models: ModelSetting[];
  /** Further llama-server arguments for every engine, e.g. `["--ctx-size", "8192"]`. */
  engineArgs: string[];
  /** Longest wait for a model to load. */
  loadTimeoutMs: number;
  /** Memory that all loaded models may take together; null: what is free at the first load. */
  modelsMemoryBytes: number | null;
  /** Most models that are loaded at the same time; null: as many as have room. */
  modelsMax: number | null;
  /** What may be taken from models so that they fit; null: what their settings leave open. */
  fit: "auto" | "off" | null;
  /** How long a model stays loaded after its last request; null: until its memory is needed. */
  keepAliveMs: number | null;
  /** Models that are loaded at the start. */
  preload: string[];
  /** Models that stay loaded, whoever else needs their memory. */
  pinned: string[];
  /** Most disk for the prompts of ended engines, in bytes; 0: none are kept; null: as fits. */
  promptDiskBytes: number | null;
  /** What is done with the models that other programs keep on this machine. */
  modelSources: ModelSourceUse;
}

/**
 * `serve`: they are served where they lie; `link`: a pull of one links its files instead of
 * fetching them; `none`: they are not looked at.
 */
export type ModelSourceUse = "serve" | "link" | "none";

/** The fields of `ModelSettings`, and the projectors that are joined with its models. */
export const MODEL_FIELDS: FieldsOf<ModelSettings & { mmproj: NamedPath[] }> = {
  models: {
    name: "models",
    flags: "-m, --model <[name=]file>",
    group: "Models",
    help: "GGUF file to serve, by the name of the file or another; may be repeated",
    schema: (folder) => modelList(folder),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  mmproj: {
    name: "mmproj",
    flags: "--mmproj <[name=]file>",
    group: "Models",
    help: "Multimodal projector (images, audio) of the model, or of the model with that name",
    schema: (folder) => projectorList(folder),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  engineArgs: {
    name: "engine_args",
    group: "Models",
    help: "Arguments of llama-server for every model, e.g. -- --ctx-size 8192 --parallel 4",
    schema: () => shellWords(),
    fallback: () => [],
    fallbackText: "none",
  },
  loadTimeoutMs: {
    name: "load_timeout",
    flags: "--load-timeout <time>",
    group: "Models",
    help: "Longest wait for a model to load",
    schema: () => duration(SECOND_MS),
    fallback: () => 600 * SECOND_MS,
    unit: "ms",
  },
  modelsMemoryBytes: {
    name: "models_memory",
    flags: "--models-memory <size>",
    group: "Models",
    help: "Memory for all loaded models together, e.g. 20GiB; idle ones are ended for others",
    schema: () => orNone(bytes(1)),
    fallback: () => null,
    fallbackText: "what is free",
    unit: "bytes",
  },
  modelsMax: {
    name: "models_max",
    flags: "--models-max <number>",
    group: "Models",
    help: "Most models that are loaded at the same time",
    schema: () => orNone(wholeNumber(1, 10_000)),
    fallback: () => null,
    fallbackText: "as many as have room",
  },
  fit: {
    name: "fit",
    flags: "--fit <auto|off>",
    group: "Models",
    help: "Whether a model that would not fit gets less context and fewer GPU layers: auto, also \
than were set; off, never",
    schema: () => orNone(oneOf<"auto" | "off">(["auto", "off"])),
    fallback: () => null,
    fallbackText: "where they are not set",
  },
  keepAliveMs: {
    name: "keep_alive",
    flags: "--keep-alive <time>",
    group: "Models",
    help: "How long a model stays loaded after its last request; -1: until its memory is needed",
    schema: () => keepAlive(),
    fallback: () => null,
    fallbackText: "-1",
    unit: "ms",
  },
  preload: {
    name: "preload",
    flags: "--preload <model>",
    group: "Models",
    help: "Load this model at the start; may be repeated",
    schema: () => nameList(),
    fallback: () => [],
    fallbackText: "the first",
    repeatable: true,
  },
  pinned: {
    name: "pin",
    flags: "--pin <model>",
    group: "Models",
    help: "Never end this model to make room; may be repeated",
    schema: () => nameList(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  promptDiskBytes: {
    name: "prompt_disk",
    flags: "--prompt-disk <size>",
    group: "Models",
    help: "Disk for prompts of ended models, read back at their next load; 0: none are kept",
    schema: () => orNone(bytes(0)),
    fallback: () => null,
    fallbackText: "a tenth of what is free, at most 20 GiB",
    unit: "bytes",
  },
  modelSources: {
    name: "model_sources",
    flags: "--model-sources <use>",
    group: "Models",
    help: "Models of Ollama, LM Studio and the hub's cache: serve, link (pulls take them), or none",
    schema: () => oneOf<ModelSourceUse>(["serve", "link", "none"]),
    fallback: () => "link",
  },
};
