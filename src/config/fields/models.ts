import { type ModelSetting, modelList, type NamedPath, projectorList } from "../values/model.ts";
import { duration } from "../values/scalar.ts";
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
}

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
};
