import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface WriteOptions {
  /** Whether the file may be lost or empty after a power cut. Default: false. */
  unsynced?: boolean;
}

/** Replaces a file at once: a reader finds the old text or the new one, even after a crash. */
export async function writeAtomically(
  path: string,
  text: string,
  { unsynced = false }: WriteOptions = {},
): Promise<void> {
  const draft = `${path}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await open(draft, "w");
    try {
      await file.writeFile(text);
      if (!unsynced) await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
  if (!unsynced) await syncFolder(dirname(path));
}

/** Writes the names in a folder to the disk, so that they survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch {
    // Windows and some network file systems have no such call: the names are safe without.
  } finally {
    await handle?.close();
  }
}
