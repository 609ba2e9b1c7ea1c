import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isLocked } from "./filelock.ts";
import { walkModelFolders } from "./modelfolder.ts";
import { PENDING_NAME, readRecord } from "./modelrecord.ts";
import { notedBytes } from "./pull/partfile.ts";

/** A model whose pull runs, or has ended before all files were whole. */
export interface PendingPull {
  id: string;
  /** Absolute path of the folder. */
  folder: string;
  /** `org/name` on the hub. */
  repo: string | undefined;
  quantization: string | undefined;
  bytes: number;
  totalBytes: number;
  /** Whether a process fetches it now. */
  fetching: boolean;
}

/** All pulls in a models folder that run or have failed, by the id of their model. */
export async function listPendingPulls(root: string): Promise<PendingPull[]> {
  const found: PendingPull[] = [];
  for await (const { id, folder } of walkModelFolders(root)) {
    const record = await readRecord(folder, PENDING_NAME);
    if (record === undefined) continue;
    const counted = await Promise.all(
      record.files.map(async ({ name, size_bytes: size }) => {
        const path = join(folder, name);
        const whole = (await stat(path).catch(() => undefined))?.size;
        return { bytes: whole ?? (await notedBytes(path)), size };
      }),
    );
    found.push({
      ...{ id, folder, repo: record.repo, quantization: record.quantization },
      bytes: counted.reduce((sum, one) => sum + one.bytes, 0),
      totalBytes: counted.reduce((sum, one) => sum + Math.max(one.bytes, one.size), 0),
      fetching: await isPullRunning(folder),
    });
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether a running process fetches a file into a folder. */
export async function isPullRunning(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []); // There is no such folder.
  const locks = names.filter((name) => name.endsWith(".lock"));
  const locked = await Promise.all(locks.map((name) => isLocked(join(folder, name))));
  return locked.includes(true);
}
