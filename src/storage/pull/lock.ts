import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { z } from "zod";
import { sleep } from "../../lib/sleep.ts";

/** Who holds a lock. */
const Owner = z.object({
  token: z.string(),
  host: z.string(),
  pid: z.number(),
  /** When the process began, as the system counts it: a pid alone may be another process's. */
  started: z.string(),
});
type Owner = z.infer<typeof Owner>;

const BEAT_MS = 2000;
/** A lock that was silent for so long has no owner, wherever that was. */
const SILENT_MS_MAX = 30_000;
const POLL_MS = 100;
const LINKLESS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** A lock that this process holds, until `release`. */
export interface Lock {
  /** Whether it still does: another may have taken it over while this process stood still. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

export interface LockOptions {
  signal: AbortSignal;
  /** Called again and again while somebody else holds the lock. */
  onWait?(): void | Promise<void>;
}

/**
 * Takes a lock that is a file, waiting while another process, or another part of this one, holds
 * it. One whose owner is gone is taken over. Throws the signal's reason.
 */
export async function takeLock(path: string, { signal, onWait }: LockOptions): Promise<Lock> {
  const token = crypto.randomUUID();
  const owner: Owner = {
    token,
    host: hostname(),
    pid: process.pid,
    started: await beginOf("self"),
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

/** Whether somebody who lives holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  return (await readText(path)) !== undefined && (await findStale(path)) === undefined;
}

/** A lock appears with its owner in it, or not at all. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${owner.token}.tmp`;
  const text = JSON.stringify(owner);
  try {
    await writeFile(draft, text);
    await link(draft, path).catch((error: unknown) => {
      // Some file systems have no links; there the content comes a moment later.
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

function hold(path: string, token: string): Lock {
  const held = async () => ownerIn(await readText(path))?.token === token;
  const beat = async () => {
    const now = new Date();
    if (await held()) await utimes(path, now, now);
  };
  // A beat that fails is one that was missed: `held` tells.
  const timer = setInterval(() => beat().catch(() => undefined), BEAT_MS);
  timer.unref();
  return {
    held,
    release: async () => {
      clearInterval(timer);
      if (await held()) await rm(path, { force: true });
    },
  };
}

/** The content of a lock whose owner is gone; undefined if it has one, or is no longer there. */
async function findStale(path: string): Promise<string | undefined> {
  const [text, found] = await Promise.all([
    readText(path),
    stat(path).catch(() => undefined), // It was released meanwhile.
  ]);
  if (text === undefined || found === undefined) return undefined;
  if (Date.now() - found.mtimeMs > SILENT_MS_MAX) return text;
  const owner = ownerIn(text);
  // Without an owner in it, it is not ours; it is given the time a heartbeat has.
  if (owner === undefined || owner.host !== hostname()) return undefined;
  return (await isRunning(owner)) ? undefined : text;
}

/** Moves a stale lock away. Who is late moves away that of who was first: it is put back. */
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
  const begun = await beginOf(pid);
  return begun === "" || begun === started;
}

/** When a process began, in the kernel's ticks since its start; "" where that cannot be told. */
async function beginOf(pid: number | "self"): Promise<string> {
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
