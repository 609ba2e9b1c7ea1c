import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface WriteOptions {
  /** It need not survive a power cut: then it may be gone or empty. Default: it does. */
  hasty?: boolean;
}

/** Replaces a file: whoever reads it finds the old content or the new one, also after a crash. */
export async function writeWhole(
  path: string,
  text: string,
  { hasty = false }: WriteOptions = {},
): Promise<void> {
  const draft = `${path}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await open(draft, "w");
    try {
      await file.writeFile(text);
      if (!hasty) await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
  if (!hasty) await syncFolder(dirname(path));
}

/** Makes the names in a folder survive a power cut, where the system can do that. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch {
    // Windows and some network file systems cannot; the names are there all the same.
  } finally {
    await handle?.close();
  }
}
