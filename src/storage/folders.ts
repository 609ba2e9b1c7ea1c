import { realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { directoryOf } from "../model/name.ts";
import { readFolder } from "./folder.ts";
import { type ModelRecord, PENDING_NAME, readRecord } from "./record.ts";

/** A folder that is, or may be, one of a model. */
export interface ModelFolder {
  /** The id that it is served under. */
  id: string;
  /** Absolute. */
  folder: string;
  record: ModelRecord | undefined;
}

const DEPTH_MAX = 8;
const FOLDERS_MAX = 50_000;

/** All folders below the models folder, links to folders included, but no circles. */
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

/** What a folder is called: as its record says, if that leads here, else by its path. */
export async function modelFolderAt(root: string, folder: string): Promise<ModelFolder> {
  const path = pathOf(root, folder);
  const record = await readRecord(folder);
  const pending = record?.id === undefined ? await readRecord(folder, PENDING_NAME) : undefined;
  const id = record?.id ?? pending?.id;
  return { id: id !== undefined && leadsTo(id, path) ? id : path, folder, record };
}

/** A folder with any other name cannot be asked for. */
function isModelId(id: string): boolean {
  try {
    directoryOf(id);
    return true;
  } catch {
    return false;
  }
}

function leadsTo(id: string, path: string): boolean {
  return isModelId(id) && directoryOf(id) === path.toLowerCase().replace(/\.gguf$/, "");
}

/**
 * The folder of a model; undefined if there is none. A folder that says no id itself is found
 * however its name is spelled, unless another differs from it in case only.
 */
export async function findModelFolder(root: string, id: string): Promise<ModelFolder | undefined> {
  const alike: ModelFolder[] = [];
  for await (const place of walkModelFolders(root)) {
    if (place.id === id) return place;
    const sameSpelled = place.id.toLowerCase() === id.toLowerCase();
    if (sameSpelled && place.id === pathOf(root, place.folder)) alike.push(place);
  }
  return alike.length === 1 ? alike[0] : undefined;
}

function pathOf(root: string, folder: string): string {
  return relative(root, folder).split(sep).join("/");
}
