import { open } from "node:fs/promises";

/** Writes a file's contents to the disk, so that they survive a power cut. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
