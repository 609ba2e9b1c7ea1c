import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { z } from "zod";
import { sleep } from "../lib/sleep.ts";

/** The content of a lock file: who holds the lock. */
const Owner = z.object({
  token: z.string(),
  host: z.string(),
  pid: z.number(),
  /** Start time of the process in the system's units: a pid alone may belong to a later process. */
  started: z.string(),
});
type Owner = z.infer<typeof Owner>;

const BEAT_MS = 2000;
/** A lock without a heartbeat for this long has lost its owner, on whichever host that was. */
const SILENT_MS_MAX = 30_000;
const POLL_MS = 100;
const LINKLESS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** A lock that this process has taken. */
export interface FileLock {
  /** Whether this process still has it: another may take it over while this one is stopped. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

export interface LockOptions {
  signal: AbortSignal;
  /** Called repeatedly while somebody else has the lock. */
  onWait?(): void | Promise<void>;
}

/**
 * Takes a lock in the form of a file. Waits while another process, or another part of this one, has
 * it; takes it over if its owner no longer exists. Throws the signal's reason.
 */
export async function takeLock(path: string, { signal, onWait }: LockOptions): Promise<FileLock> {
  const token = crypto.randomUUID();
  const owner: Owner = {
    token,
    host: hostname(),
    pid: process.pid,
    started: await startOf("self"),
  };
  for (;;) {
    signal.throwIfAborted();
    if (await create(path, owner)) return hold(path, token);
    const stale = await findStale(path);
    if (stale !== undefined) {
      await takeAway(path, stale);
      continue;
    }
    await onWait?.();
    await sleep(POLL_MS, signal);
  }
}

/** Whether a running process has the lock. */
export async function isLocked(path: string): Promise<boolean> {
  return (await readText(path)) !== undefined && (await findStale(path)) === undefined;
}

/** Creates the lock file with its content in one step. False if it exists. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${owner.token}.tmp`;
  const text = JSON.stringify(owner);
  try {
    await writeFile(draft, text);
    await link(draft, path).catch((error: unknown) => {
      // Some file systems have no links: there the content is written a moment later.
      if (!LINKLESS.has(String(codeOf(error)))) throw error;
      return writeFile(path, text, { flag: "wx" });
    });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function hold(path: string, token: string): FileLock {
  const isHeld = async () => ownerIn(await readText(path))?.token === token;
  const beat = async () => {
    const now = new Date();
    if (await isHeld()) await utimes(path, now, now);
  };
  // A failed heartbeat only shortens the time until others may take over.
  const timer = setInterval(() => beat().catch(() => undefined), BEAT_MS);
  timer.unref();
  return {
    isHeld,
    release: async () => {
      clearInterval(timer);
      if (await isHeld()) await rm(path, { force: true });
    },
  };
}

/** The content of a lock whose owner no longer exists; undefined if the lock is valid or gone. */
async function findStale(path: string): Promise<string | undefined> {
  const [text, found] = await Promise.all([
    readText(path),
    stat(path).catch(() => undefined), // It was released meanwhile.
  ]);
  if (text === undefined || found === undefined) return undefined;
  if (Date.now() - found.mtimeMs > SILENT_MS_MAX) return text;
  const owner = ownerIn(text);
  // A lock of another host, or without an owner, is only judged by its heartbeat.
  if (owner === undefined || owner.host !== hostname()) return undefined;
  return (await isRunning(owner)) ? undefined : text;
}

/** Moves a stale lock away. If it is a new one by now, of a faster process, it is put back. */
async function takeAway(path: string, stale: string): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if ((await readText(aside)) !== stale) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function isRunning({ pid, started }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
  }
  const begun = await startOf(pid);
  return begun === "" || begun === started;
}

/** Start time of a process in kernel ticks; "" where the system does not tell it. */
async function startOf(pid: number | "self"): Promise<string> {
  const line = await readText(`/proc/${pid}/stat`);
  // The name in parentheses may contain anything; the field is the 20th after it.
  return line?.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function ownerIn(text: string | undefined): Owner | undefined {
  try {
    return Owner.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined; // no lock of ours
  }
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
