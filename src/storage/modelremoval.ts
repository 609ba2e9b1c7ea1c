import { lstat, readdir, realpath, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { ApiError } from "../wire/error.ts";
import { syncFolder } from "./atomicwrite.ts";
import { hasWeights, readFolder } from "./foldercontent.ts";
import { walkModelFolders } from "./modelfolder.ts";
import {
  type FileRecord,
  PENDING_NAME,
  RECORD_NAME,
  readRecord,
  writeRecord,
} from "./modelrecord.ts";
import { sidePath } from "./sidefile.ts";

/**
 * Removes the folder of a model, and parents that are empty then. Folders in it that have models of
 * their own stay. Of a link to a folder, only the link is removed. Throws 409 if the path leads
 * through a link out of the models folder: files elsewhere are never removed.
 */
export async function removeModelFolder(root: string, folder: string): Promise<void> {
  await refuseElsewhere(root, folder);
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (found.isSymbolicLink()) await unlink(folder);
  else await clear(folder);
  await prune(root, folder);
}

/** Removes files; of links only the links. */
export async function removeFiles(paths: string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}

/**
 * Removes the files that sync put into a folder, or began to fetch, unless somebody has changed
 * them since. Returns their names.
 */
export async function removeSyncedFiles(root: string, folder: string): Promise<string[]> {
  await refuseElsewhere(root, folder);
  const [record, pending] = await Promise.all([
    readRecord(folder),
    readRecord(folder, PENDING_NAME),
  ]);
  const recorded = record?.files ?? [];
  const names = new Set(recorded.map(({ name }) => name));
  const begun = pending?.files.filter(({ name }) => !names.has(name)) ?? [];
  const ours = [...recorded, ...begun].filter(({ placed_by: by }) => by === "sync");
  const removed: string[] = [];
  for (const file of ours) if (await removeFile(folder, file)) removed.push(file.name);
  if (ours.length === 0) return removed;
  const { files } = await readFolder(folder);
  if (files.length === 0) await clear(folder);
  else if (record !== undefined) {
    const kept = recorded.filter(({ name }) => files.some((file) => file.name === name));
    await writeRecord(folder, { ...record, files: kept });
  }
  await prune(root, folder);
  return removed;
}

/** Removes a file and its part. True if the file existed as it is recorded. */
async function removeFile(folder: string, file: FileRecord): Promise<boolean> {
  if (file.name.includes("/")) return false;
  const path = join(folder, file.name);
  await rm(`${sidePath(path)}.part.json`, { force: true });
  await rm(`${sidePath(path)}.part`, { force: true });
  const found = await lstat(path).catch(() => undefined);
  // The time is unknown if the pull ended before it could record the file.
  const sameTime = file.mtime_ms === 0 || found?.mtimeMs === file.mtime_ms;
  if (!found?.isFile() || !sameTime || found.size !== file.size_bytes) return false;
  await unlink(path);
  return true;
}

/** Removes everything in a folder but the folders that have models of their own. */
async function clear(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && (await holdsModels(path))) continue;
    // Links are removed, never followed.
    await rm(path, { recursive: true, force: true });
  }
}

async function holdsModels(folder: string): Promise<boolean> {
  const isModel = async (path: string) => {
    const record = await stat(join(path, RECORD_NAME)).catch(() => undefined);
    const pending = await stat(join(path, PENDING_NAME)).catch(() => undefined);
    const { files } = await readFolder(path);
    return record !== undefined || pending !== undefined || hasWeights(files);
  };
  if (await isModel(folder)) return true;
  for await (const place of walkModelFolders(folder)) if (await isModel(place.folder)) return true;
  return false;
}

/** Removes a folder and its parents below the models folder, up to the first that is not empty. */
async function prune(root: string, folder: string): Promise<void> {
  for (let at = folder; at !== root && isBelow(root, at); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) break;
    }
  }
  await syncFolder(root);
}

/** Throws 409 if a folder is reached through a link that leads out of the models folder. */
export async function refuseElsewhere(root: string, folder: string): Promise<void> {
  const [real, parent] = await Promise.all([
    realpath(root).catch(() => root),
    realpath(dirname(folder)).catch(() => dirname(folder)),
  ]);
  if (isBelow(root, folder) && join(real, relative(root, dirname(folder))) === parent) return;
  const message = `Removing the model failed: its folder ${folder} is reached through a link and \
lies at ${parent}, outside of the models folder. Remove it there, or remove the link.`;
  throw new ApiError("conflict", message, { code: "model_elsewhere", param: "model" });
}

function isBelow(root: string, folder: string): boolean {
  const path = relative(root, folder);
  return path !== "" && path !== ".." && !path.startsWith(`..${sep}`);
}

/** Codes of a file system that does not let this user write. */
const UNWRITABLE = new Set<unknown>(["EROFS", "EACCES", "EPERM"]);

/**
 * Runs a removal. Throws 409 with what to do if the models folder is read-only, or another user's.
 */
export async function removing<T>(id: string, root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (!UNWRITABLE.has(code)) throw error;
    const message = `Removing ${id} failed: the models folder ${root} cannot be written (${code}). \
Is it read-only, or another user's? Remove the files where they can be, or make it writable.`;
    throw new ApiError("conflict", message, {
      ...{ code: "models_folder_read_only", param: "model", cause: error },
    });
  }
}
