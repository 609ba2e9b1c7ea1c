import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { walkModelFolders } from "./folders.ts";
import { isLocked } from "./pull/lock.ts";
import { notedBytes } from "./pull/part.ts";
import { PENDING_NAME, readRecord } from "./record.ts";

/** A model that was begun to be pulled and is not whole. */
export interface Pending {
  id: string;
  /** Absolute. */
  folder: string;
  /** `org/name` on the hub. */
  repo: string | undefined;
  quantization: string | undefined;
  bytes: number;
  totalBytes: number;
  /** A process is at it now. */
  fetching: boolean;
}

/** All pulls in a models folder that have not ended well, by the id of their model. */
export async function listPending(root: string): Promise<Pending[]> {
  const found: Pending[] = [];
  for await (const { id, folder } of walkModelFolders(root)) {
    const record = await readRecord(folder, PENDING_NAME);
    if (record === undefined) continue;
    const counted = await Promise.all(
      record.files.map(async ({ name, size_bytes: size }) => {
        const path = join(folder, name);
        const whole = (await stat(path).catch(() => undefined))?.size;
        return { there: whole ?? (await notedBytes(path)), size };
      }),
    );
    found.push({
      ...{ id, folder, repo: record.repo, quantization: record.quantization },
      bytes: counted.reduce((sum, { there }) => sum + there, 0),
      totalBytes: counted.reduce((sum, { there, size }) => sum + Math.max(there, size), 0),
      fetching: await isBeingFetched(folder),
    });
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether a process that lives fetches a file into a folder. */
export async function isBeingFetched(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []); // There is no such folder.
  const locks = names.filter((name) => name.endsWith(".lock"));
  const held = await Promise.all(locks.map((name) => isLocked(join(folder, name))));
  return held.includes(true);
}
