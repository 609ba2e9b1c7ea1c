import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

const POLL_MS = 200;
/** A lock without a readable owner is only left over if it is this old. */
const UNOWNED_MS = 10_000;

/**
 * Takes the lock of a folder, waiting while another running process holds it; `onWait` is called
 * once when it has to wait. The returned object gives it back.
 */
export async function lockFolder(folder: string, onWait: () => void): Promise<AsyncDisposable> {
  const lock = join(folder, ".lock");
  const owner = join(lock, "pid");
  for (let waited = false; ; ) {
    try {
      await mkdir(lock);
      break;
    } catch (cause) {
      if (!isExisting(cause)) throw cause;
    }
    if (await isAbandoned(lock, owner)) {
      await rm(lock, { recursive: true, force: true });
      continue;
    }
    if (!waited) onWait();
    waited = true;
    await Bun.sleep(POLL_MS);
  }
  await writeFile(owner, String(process.pid));
  return { [Symbol.asyncDispose]: () => rm(lock, { recursive: true, force: true }) };
}

async function isAbandoned(lock: string, owner: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(owner, "utf8"));
    if (pid > 0) return !isRunning(pid);
    return Date.now() - (await stat(lock)).mtimeMs > UNOWNED_MS;
  } catch {
    // The owner has not signed yet, or has just given the lock back.
    const age = await stat(lock)
      .then((found) => Date.now() - found.mtimeMs)
      .catch(() => 0);
    return age > UNOWNED_MS;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

function isExisting(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "EEXIST";
}
