import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PENDING_NAME, RECORD_NAME } from "./modelrecord.ts";

/** A file in a model's folder, or a link to one, that is not empty. */
export interface StoredFile {
  name: string;
  path: string;
  sizeBytes: number;
  mtimeMs: number;
}

/** What is directly in a folder. */
export interface FolderContent {
  files: StoredFile[];
  /** Names of the folders in it, or of links to folders. */
  folders: string[];
}

/** No model's folder has more entries: the rest is not looked at. */
const ENTRIES_MAX = 20_000;
/** Names of what pulls keep beside files, and of drafts of small files. */
const INTERNAL = /\.(?:part|part\.json|lock|tmp|stale)$/i;

/**
 * Lists the files and folders in a folder by name, without what pulls keep there. A folder that
 * cannot be read has none.
 */
export async function readFolder(folder: string): Promise<FolderContent> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  const content: FolderContent = { files: [], folders: [] };
  for (const entry of entries.slice(0, ENTRIES_MAX)) {
    const { name } = entry;
    if (name.startsWith(".") || INTERNAL.test(name) || name === PENDING_NAME) continue;
    if (!entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink()) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined); // It is a link to nowhere.
    if (found?.isDirectory()) content.folders.push(name);
    if (!found?.isFile() || found.size === 0 || name === RECORD_NAME) continue;
    content.files.push({ name, path, sizeBytes: found.size, mtimeMs: found.mtimeMs });
  }
  content.files.sort((a, b) => (a.name < b.name ? -1 : 1));
  content.folders.sort();
  return content;
}

/** Whether one of the files may be a model's weights. */
export function hasWeights(files: StoredFile[]): boolean {
  return files.some(({ name }) => /\.(?:gguf|safetensors|safetensors\.index\.json)$/i.test(name));
}
