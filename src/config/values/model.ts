import { basename } from "node:path";
import { type ZodType, z } from "zod";
import {
  RUN_SETTING_NAMES,
  type RunSettings,
  readRunSettings,
  withFiles,
} from "../../wire/runsettings.ts";
import { absolutePath } from "./path.ts";
import { listOf, listOrNamed, type Shape, TEXT_SHAPE } from "./schema.ts";

/** A model named on the command line or in the configuration. */
export interface ModelSetting {
  /** The name that clients use; the file's name without `.gguf` when not given. */
  id: string;
  /** Absolute path of the GGUF file; undefined: settings for a model that comes from elsewhere. */
  path?: string;
  /** Absolute path of the multimodal projector, if there is one. */
  mmproj?: string;
  /** How it runs. Names of files without a folder mean files beside the model's. */
  settings?: RunSettings;
}

/** A model whose file the settings name. */
export type FileModel = ModelSetting & { path: string };

/** The models whose files the settings name. */
export function modelsWithFiles(models: readonly ModelSetting[]): FileModel[] {
  return models.filter((one): one is FileModel => one.path !== undefined);
}

/** A file with an optional name, from `[id=]path`. */
export interface NamedPath {
  id?: string;
  path: string;
}

const OBJECT = {
  type: "object",
  properties: {
    id: TEXT_SHAPE,
    ...{ path: TEXT_SHAPE, file: TEXT_SHAPE, mmproj: TEXT_SHAPE, projector: TEXT_SHAPE },
    // Each is a word or a number; `workers` is a list.
    ...Object.fromEntries(RUN_SETTING_NAMES.map((name) => [name, {}])),
  },
};
const ITEM: Shape = { anyOf: [TEXT_SHAPE, OBJECT] };

/**
 * A list of models: `[id=]path` or an object each; or an object with the objects by their names.
 */
export function modelList(folder: string): ZodType<ModelSetting[]> {
  const list = listOf<ModelSetting>((value) => readModel(value, folder), modelConflict, ITEM);
  return z
    .preprocess((given) => {
      if (!isObject(given) || MODEL_KEYS.some((key) => typeof given[key] === "string"))
        return given;
      return Object.entries(given).map(([id, value]) => {
        if (typeof value === "string") return { id, path: value };
        return isObject(value) ? { ...value, id } : value;
      });
    }, list)
    .meta({ shape: listOrNamed(list) });
}

/** A list of projector files: `[id=]path` each. */
export function projectorList(folder: string): ZodType<NamedPath[]> {
  return listOf((value) =>
    typeof value === "string" ? parseNamedPath(value, folder) : "must be a file, or name=file",
  );
}

/**
 * Reads `path` or `id=path`; relative paths start at `folder`, `~` is the user's home folder. Text
 * that starts like a path is one, even with `=` in it. Returns a message instead if it is wrong.
 */
function parseNamedPath(text: string, folder: string): NamedPath | string {
  const cut = /^(?:[./\\~]|[a-z]:[\\/])/i.test(text) ? -1 : text.indexOf("=");
  const id = text.slice(0, Math.max(cut, 0)).trim();
  const path = text.slice(cut + 1);
  if (path.trim() === "" || cut === 0) return "must be a file, or name=file";
  return { ...(id === "" ? {} : { id }), path: absolutePath(path, folder) };
}

const MODEL_KEYS = ["id", "path", "file", "mmproj"];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads `[id=]path`, or an object with `id`, `file` (or `path`), `mmproj` and settings. Returns a
 * message instead if it is wrong.
 */
function readModel(value: unknown, folder: string): ModelSetting | string {
  if (typeof value === "string") {
    const named = parseNamedPath(value, folder);
    return typeof named === "string"
      ? named
      : { id: named.id ?? modelName(named.path), path: named.path };
  }
  if (!isObject(value)) return "must be an object or a path";
  const { id, file, path: given = file, projector, mmproj = projector, ...rest } = value;
  for (const [key, text] of Object.entries({ id, path: given, mmproj })) {
    if (text !== undefined && (typeof text !== "string" || text === "")) {
      return `${key}: must be a text that is not empty`;
    }
  }
  const pathOf = (text: unknown) =>
    typeof text === "string" ? absolutePath(text, folder) : undefined;
  const [path, joined] = [pathOf(given), pathOf(mmproj)];
  const name = typeof id === "string" ? id : path && modelName(path);
  if (name === undefined) return "path: is missing";
  const read = readRunSettings(rest);
  if (typeof read === "string") return `${name}: ${read}`;
  const isElsewhere = (one: string) => /[\\/]/.test(one);
  const settings = withFiles(read, (one) => (isElsewhere(one) ? absolutePath(one, folder) : one));
  return {
    id: name,
    ...(path === undefined ? {} : { path }),
    ...(joined === undefined ? {} : { mmproj: joined }),
    ...(Object.keys(settings).length > 0 ? { settings } : {}),
  };
}

/** The default name of a model file: without `.gguf` and the part number of a split file. */
function modelName(path: string): string {
  return basename(path)
    .replace(/\.gguf$/i, "")
    .replace(/-\d{5}-of-\d{5}$/, "");
}

/**
 * The models with the projectors added. A projector without a name belongs to the only model.
 * Returns a message instead if one fits no model.
 */
export function attachProjectors(
  models: ModelSetting[],
  projectors: NamedPath[],
): ModelSetting[] | string {
  const result = models.map((model) => ({ ...model }));
  for (const { id, path } of projectors) {
    if (id === undefined && result.length > 1) {
      return `there are ${result.length} models: say which one it belongs to, as name=file`;
    }
    const model = id === undefined ? result[0] : result.find((candidate) => candidate.id === id);
    if (model === undefined) {
      return id === undefined
        ? "there is no model it could belong to"
        : `there is no model "${id}"`;
    }
    model.mmproj = path;
  }
  return result;
}

/** A message if two models of a list have the same name. */
function modelConflict(models: ModelSetting[]): string | undefined {
  const seen = new Set<string>();
  for (const { id } of models) {
    if (seen.has(id)) return `two models are named "${id}": name one with name=file`;
    seen.add(id);
  }
  return undefined;
}
