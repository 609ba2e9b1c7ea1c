import { realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { directoryOf, isModelId } from "../model/name.ts";
import { readFolder } from "./foldercontent.ts";
import { type ModelRecord, PENDING_NAME, readRecord } from "./modelrecord.ts";

/** A folder that has a model, or may have one. */
export interface ModelFolder {
  /** The id of its model. */
  id: string;
  /** Absolute path. */
  folder: string;
  record: ModelRecord | undefined;
  /** The files of a model that shares its folder with others; undefined: all of the folder. */
  files?: readonly string[];
}

const DEPTH_MAX = 8;
const FOLDERS_MAX = 50_000;

/** Walks all folders below the models folder. Follows links to folders, but never in a circle. */
export async function* walkModelFolders(root: string): AsyncGenerator<ModelFolder> {
  const open: { folder: string; above: string[] }[] = [{ folder: root, above: [] }];
  let visited = 0;
  for (let next = open.pop(); next !== undefined && visited < FOLDERS_MAX; next = open.pop()) {
    const { folder, above } = next;
    const real = await realpath(folder).catch(() => undefined);
    if (real === undefined || above.includes(real)) continue;
    visited += 1;
    if (above.length > 0) {
      const place = await modelFolderAt(root, folder);
      if (isModelId(place.id)) yield place;
    }
    if (above.length >= DEPTH_MAX) continue;
    const { folders } = await readFolder(folder);
    for (const name of folders.reverse()) {
      open.push({ folder: join(folder, name), above: [...above, real] });
    }
  }
}

/** A folder with its id: that of its record, if it belongs to this path, else the path itself. */
async function modelFolderAt(root: string, folder: string): Promise<ModelFolder> {
  const path = pathOf(root, folder);
  const record = await readRecord(folder);
  const pending = record?.id === undefined ? await readRecord(folder, PENDING_NAME) : undefined;
  const id = record?.id ?? pending?.id;
  return { id: id !== undefined && belongsTo(id, path) ? id : path, folder, record };
}

function belongsTo(id: string, path: string): boolean {
  return isModelId(id) && directoryOf(id) === path.toLowerCase().replace(/\.gguf$/, "");
}

/**
 * The folder of a model; undefined if there is none. It is found in any case of its id, unless
 * those of two folders differ only in case.
 */
export async function findModelFolder(root: string, id: string): Promise<ModelFolder | undefined> {
  const alike: ModelFolder[] = [];
  for await (const place of walkModelFolders(root)) {
    if (place.id === id) return place;
    if (place.id.toLowerCase() === id.toLowerCase()) alike.push(place);
  }
  return alike.length === 1 ? alike[0] : undefined;
}

function pathOf(root: string, folder: string): string {
  return relative(root, folder).split(sep).join("/");
}
