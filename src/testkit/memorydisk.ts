import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, removed by `using`. */
export interface MemoryDisk extends Disposable {
  path: string;
}

/** Mounts an empty file system in memory; `options` are those of `mount -t tmpfs -o`. */
export function mountDisk(options: string): MemoryDisk {
  const path = mkdtempSync(join(tmpdir(), "llmlb-disk-"));
  const { success } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]);
  const remove = () => rmSync(path, { recursive: true, force: true });
  if (!success) {
    remove();
    throw new Error(`mounting ${path} (${options}) failed`);
  }
  const unmount = () => {
    Bun.spawnSync(["umount", "-l", path]);
    remove();
  };
  return { path, [Symbol.dispose]: unmount };
}

/** Whether this system lets us mount: root may, on Linux, but not in every container. */
export const MOUNTS = process.platform === "linux" && process.getuid?.() === 0 && canMount();

function canMount(): boolean {
  try {
    using _ = mountDisk("size=1m");
    return true;
  } catch {
    return false;
  }
}
