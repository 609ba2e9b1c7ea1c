import { basename } from "node:path";
import { type ZodType, z } from "zod";
import { absolutePath } from "./path.ts";
import { listOf } from "./schema.ts";

/** A model file named on the command line or in the configuration. */
export interface ModelSetting {
  /** The name that clients use; the file's name without `.gguf` when not given. */
  id: string;
  /** Absolute path of the GGUF file. */
  path: string;
  /** Absolute path of the multimodal projector, if there is one. */
  mmproj?: string;
}

/** A model object of config.json. */
const ModelObject = z.strictObject({
  id: z.string().min(1, "id: must not be empty").optional(),
  path: z.string().min(1, "path: must not be empty"),
  mmproj: z.string().min(1, "mmproj: must not be empty").optional(),
});

/** A file with an optional name, from `[id=]path`. */
export interface NamedPath {
  id?: string;
  path: string;
}

/** A list of models: `[id=]path` or `{id, path, mmproj}` each. */
export function modelList(folder: string): ZodType<ModelSetting[]> {
  return listOf((value) => readModel(value, folder), modelConflict);
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

/** Reads `[id=]path` or `{id?, path, mmproj?}`. Returns a message instead if it is wrong. */
function readModel(value: unknown, folder: string): ModelSetting | string {
  if (typeof value === "string") {
    const named = parseNamedPath(value, folder);
    return typeof named === "string"
      ? named
      : { id: named.id ?? modelName(named.path), path: named.path };
  }
  const result = ModelObject.safeParse(value);
  if (!result.success) return result.error.issues[0]?.message ?? "must be an object or a path";
  const path = absolutePath(result.data.path, folder);
  const { id, mmproj } = result.data;
  return {
    id: id ?? modelName(path),
    path,
    ...(mmproj === undefined ? {} : { mmproj: absolutePath(mmproj, folder) }),
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
