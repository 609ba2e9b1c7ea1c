import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { formatBytes } from "../../config/units.ts";
import { PullError } from "./failure.ts";

/** Left free on the disk for everything else that writes there. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** Space of one disk that pulls of this process have been promised and not used yet. */
export class Space {
  #promised = new Map<object, () => number>();

  /**
   * Makes sure that there is room below `folder` for what `left` says, now and beside other pulls.
   * Disposing of the result gives the promise back. Throws `PullError` with the numbers.
   */
  async promise(folder: string, model: string, left: () => number): Promise<Disposable> {
    const free = await freeBytes(folder);
    const promised = this.#promised.values().reduce((sum, bytes) => sum + bytes(), 0);
    const needed = left();
    if (needed > 0 && needed + promised + RESERVE_BYTES > free) {
      const others = promised > 0 ? `, ${formatBytes(promised)} of which other pulls need` : "";
      const message = `Pulling ${model} failed: it needs ${formatBytes(needed)} in ${folder}, but \
${formatBytes(free)} are free${others}, and ${formatBytes(RESERVE_BYTES)} are left alone. Remove \
other models, or choose a smaller quantization.`;
      throw new PullError("disk_full", message);
    }
    const key = {};
    this.#promised.set(key, left);
    return { [Symbol.dispose]: () => void this.#promised.delete(key) };
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
