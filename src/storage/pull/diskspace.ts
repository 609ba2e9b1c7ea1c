import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { formatBytes } from "../../config/units.ts";
import { PullError } from "./error.ts";

/** Left free on the disk for everything else. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** The disk space that pulls of this process have reserved and not used yet. */
export class DiskSpace {
  #reserved = new Map<object, () => number>();

  /**
   * Reserves space on the disk of `folder`: as much as `left` tells, which becomes less while the
   * pull runs. Disposing of the result ends that. Throws `PullError` with the numbers if the space
   * does not suffice.
   */
  async reserve(folder: string, model: string, left: () => number): Promise<Disposable> {
    const free = await freeBytes(folder);
    const reserved = this.#reserved.values().reduce((sum, bytes) => sum + bytes(), 0);
    const needed = left();
    if (needed > 0 && needed + reserved + RESERVE_BYTES > free) {
      const others = reserved > 0 ? `, ${formatBytes(reserved)} of which other pulls need` : "";
      const message = `Pulling ${model} failed: it needs ${formatBytes(needed)} in ${folder}, but \
${formatBytes(free)} are free${others}, and ${formatBytes(RESERVE_BYTES)} are left alone. Remove \
other models, or choose a smaller quantization.`;
      throw new PullError("disk_full", message);
    }
    const key = {};
    this.#reserved.set(key, left);
    return { [Symbol.dispose]: () => void this.#reserved.delete(key) };
  }
}

async function freeBytes(folder: string): Promise<number> {
  let at = folder;
  while ((await stat(at).catch(() => undefined)) === undefined && dirname(at) !== at) {
    at = dirname(at);
  }
  const { bavail, bsize } = await statfs(at);
  return bavail * bsize;
}
