import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type GgufRole, ggufRole, isGguf } from "../model/filename.ts";
import { type GgufHeader, GgufInvalid } from "../model/gguf.ts";
import { readHeaderOf } from "../model/header.ts";
import { PENDING_NAME, RECORD_NAME } from "./record.ts";

/** A file that counts: it is there, a file (or a link to one), and not empty. */
export interface StoredFile {
  name: string;
  path: string;
  sizeBytes: number;
  mtimeMs: number;
}

/** What lies directly in a folder. */
export interface FolderContent {
  files: StoredFile[];
  /** Names of the folders in it, or of links to folders. */
  folders: string[];
}

/** More entries than this are no folder of a model. */
const ENTRIES_MAX = 20_000;
/** What pulls keep beside files, and drafts of small files. */
const INTERNAL = /\.(?:part|part\.json|lock|tmp|stale)$/i;

/** The files that count and the folders of a folder, by name; nothing if it cannot be read. */
export async function readFolder(folder: string): Promise<FolderContent> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  const content: FolderContent = { files: [], folders: [] };
  for (const entry of entries.slice(0, ENTRIES_MAX)) {
    const { name } = entry;
    if (name.startsWith(".") || INTERNAL.test(name) || name === PENDING_NAME) continue;
    if (!entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink()) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined); // A link to nowhere counts as nothing.
    if (found?.isDirectory()) content.folders.push(name);
    if (!found?.isFile() || found.size === 0 || name === RECORD_NAME) continue;
    content.files.push({ name, path, sizeBytes: found.size, mtimeMs: found.mtimeMs });
  }
  content.files.sort((a, b) => (a.name < b.name ? -1 : 1));
  content.folders.sort();
  return content;
}

/** Whether there is a file among them that may be a model's weights. */
export function hasWeights(files: StoredFile[]): boolean {
  return files.some(({ name }) => /\.(?:gguf|safetensors|safetensors\.index\.json)$/i.test(name));
}

/** What GGUF files say of themselves, remembered as long as they do not change. */
export class Headers {
  readonly #known = new Map<string, { mark: string; header: GgufHeader | undefined }>();

  /** The metadata of a file; undefined if it has none that can be read. */
  async of({ path, sizeBytes, mtimeMs }: StoredFile): Promise<GgufHeader | undefined> {
    const mark = `${sizeBytes} ${mtimeMs}`;
    const known = this.#known.get(path);
    if (known?.mark === mark) return known.header;
    const header = await readHeaderOf(path, { metadataOnly: true }).catch((error: unknown) => {
      if (error instanceof GgufInvalid || isFileError(error)) return undefined;
      throw error;
    });
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(path, { mark, header });
    return header;
  }

  /** What a GGUF file is for: as its metadata says, else as its name does. */
  async roleOf(file: StoredFile): Promise<GgufRole> {
    const type = (await this.of(file))?.metadata.get("general.type");
    if (type === "adapter") return "adapter";
    return type === "mmproj" ? "projector" : ggufRole(file.name);
  }
}

const KNOWN_MAX = 1000;

function isFileError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}

/** The GGUF files of a folder, by what they are for. */
export async function ggufFiles(
  files: StoredFile[],
  headers: Headers,
): Promise<Record<GgufRole, StoredFile[]>> {
  const roles: Record<GgufRole, StoredFile[]> = { model: [], projector: [], adapter: [] };
  for (const file of files) {
    if (isGguf(file.name)) roles[await headers.roleOf(file)].push(file);
  }
  return roles;
}
