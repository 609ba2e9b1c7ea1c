import { homedir } from "node:os";
import { basename, isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import type { ModelSetting } from "./settings.ts";

/** A model object of config.json. */
const ModelObject = z.strictObject({
  id: z.string().min(1, "id: must not be empty").optional(),
  path: z.string().min(1, "path: must not be empty"),
  mmproj: z.string().min(1, "mmproj: must not be empty").optional(),
});

/** `[id=]path` taken apart; a text that starts like a path is one, whatever `=` it contains. */
export interface NamedPath {
  id?: string;
  path: string;
}

/** Reads `path` or `id=path`; relative paths start at `folder`, `~` is the user's home folder. */
export function parseNamedPath(text: string, folder: string): NamedPath | string {
  const cut = /^(?:[./\\~]|[a-z]:[\\/])/i.test(text) ? -1 : text.indexOf("=");
  const id = text.slice(0, Math.max(cut, 0)).trim();
  const path = text.slice(cut + 1);
  if (path.trim() === "" || cut === 0) return "must be a file, or name=file";
  return { ...(id === "" ? {} : { id }), path: absolutePath(path, folder) };
}

/** Reads `[id=]path` or an object `{id?, path, mmproj?}`. Returns a text instead if it is wrong. */
export function readModel(value: unknown, folder: string): ModelSetting | string {
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

/** The name of a model file that was given none: without `.gguf` and the number of a split file. */
export function modelName(path: string): string {
  return basename(path)
    .replace(/\.gguf$/i, "")
    .replace(/-\d{5}-of-\d{5}$/, "");
}

/**
 * The models with the projectors added. A projector without a name belongs to the only model.
 * Returns a text instead if one fits no model.
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

/** What is wrong with a list of models as a whole: a name that is taken twice. */
export function modelConflict(models: ModelSetting[]): string | undefined {
  const seen = new Set<string>();
  for (const { id } of models) {
    if (seen.has(id)) return `two models are named "${id}": name one with name=file`;
    seen.add(id);
  }
  return undefined;
}

/** An absolute path: `~/…` is the user's home folder, anything relative starts at `folder`. */
export function absolutePath(path: string, folder: string): string {
  if (path === "~" || /^~[/\\]/.test(path)) return join(homedir(), path.slice(1));
  return isAbsolute(path) ? path : resolve(folder, path);
}
