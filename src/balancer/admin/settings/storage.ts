import type { Stats } from "node:fs";
import { lstat, readdir, statfs } from "node:fs/promises";
import { join, relative } from "node:path";
import { BESIDE_DATABASE } from "../../../db/files.ts";
import type { FolderView } from "../../../wire/settings.ts";

/** Most files that are looked at in one folder; more are not counted. */
const FILES_MAX = 20_000;
/** Bytes of a block, as `stat` counts them (stat(2)). */
const BLOCK_BYTES = 512;

/** What takes how much room in the data folder, and in that of the models if it is elsewhere. */
export async function describeFolders(home: string, models: string): Promise<FolderView[]> {
  const isWithin = !relative(home, models).startsWith("..");
  const folders = isWithin ? [home] : [home, models];
  const views = await Promise.all(folders.map(describeFolder));
  return views.filter((view) => view !== undefined);
}

/** Undefined: there is no such folder. */
async function describeFolder(path: string): Promise<FolderView | undefined> {
  const names = await readdir(path).catch(() => undefined);
  if (names === undefined) return undefined;
  const count = new Count();
  const sizes = new Map<string, number>();
  for (const name of names) {
    const bytes = await count.sizeOf(join(path, name));
    const whole = wholeName(name);
    sizes.set(whole, (sizes.get(whole) ?? 0) + bytes);
  }
  const { bavail, blocks, bsize } = await statfs(path);
  return {
    path,
    entries: Array.from(sizes, ([name, bytes]) => ({ name, bytes })).sort(
      (a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1),
    ),
    truncated: count.isFull,
    ...{ disk_free_bytes: bavail * bsize, disk_total_bytes: blocks * bsize },
  };
}

/** The file that one belongs to: SQLite keeps two more beside a database. */
function wholeName(name: string): string {
  const end = BESIDE_DATABASE.find((one) => name.endsWith(`.db${one}`));
  return end === undefined ? name : name.slice(0, -end.length);
}

/** Adds up the room that files take. */
class Count {
  #files = 0;
  /** Several names of one file are counted once. */
  readonly #seen = new Set<string>();

  get isFull(): boolean {
    return this.#files >= FILES_MAX;
  }

  /** The bytes of a file, or of all below a folder; links are not followed. */
  async sizeOf(path: string): Promise<number> {
    if (this.isFull) return 0;
    this.#files += 1;
    // It may have gone since it was listed.
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined || !this.#isNew(stats)) return 0;
    if (!stats.isDirectory()) return roomOf(stats);
    let bytes = 0;
    for (const name of await readdir(path).catch(() => [])) {
      bytes += await this.sizeOf(join(path, name));
    }
    return bytes;
  }

  #isNew({ dev, ino, nlink }: Stats): boolean {
    if (nlink <= 1) return true;
    const key = `${dev}:${ino}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

/** What a file takes on the disk: files with holes take less than they are long. */
function roomOf({ blocks, size }: Stats): number {
  return blocks > 0 ? blocks * BLOCK_BYTES : size;
}
