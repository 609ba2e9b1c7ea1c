import { type FileHandle, open, stat } from "node:fs/promises";
import type { Artifact } from "../../wire/manifest.ts";
import type { PullState } from "../../wire/pull.ts";
import { type FileLock, takeLock } from "../filelock.ts";
import type { FileOwner, FileRecord } from "../modelrecord.ts";
import { sidePath } from "../sidefile.ts";
import { gitOid, hashFile } from "./digest.ts";
import { PullError, toDiskError } from "./error.ts";
import type { FileSource } from "./filesource.ts";
import { fetchPart, type PartFetchOptions } from "./partfetch.ts";
import { notedBytes, PartFile } from "./partfile.ts";

export interface FilePull {
  artifact: Artifact;
  /** Its name in the folder. */
  name: string;
  /** Its absolute path. */
  path: string;
  /** Peers first, the hub last. */
  sources: FileSource[];
  /** What `manifest.json` says about the file, if it was verified earlier. */
  recorded: FileRecord | undefined;
  placedBy: FileOwner;
  fetch: Omit<PartFetchOptions, "sha256" | "onBytes" | "onRestart" | "signal">;
  /** Called when the state changes; `bytes` of the file exist. */
  onState(state: PullState, bytes: number, totalBytes?: number): void;
  onBytes(count: number): void;
  /** Called when a source is given up. */
  onDropped(source: FileSource, cause: unknown): void;
  signal: AbortSignal;
}

/** What must be known of a file to tell whether it is there. */
type ExpectedPull = Pick<
  FilePull,
  "artifact" | "name" | "path" | "recorded" | "placedBy" | "onState" | "signal"
>;

/**
 * Makes sure that a file exists, whole and verified: fetches it, or waits for another process that
 * fetches it already. A failure leaves nothing behind, or a part that the next pull continues.
 * Throws `PullError`, or the signal's reason.
 */
export async function pullFile(job: FilePull): Promise<FileRecord> {
  const existing = await findExisting(job);
  if (existing !== undefined) return existing;
  const lock = await lockFile(job);
  try {
    return (await findExisting(job)) ?? (await fetchFile(job, lock));
  } finally {
    await lock.release();
  }
}

async function lockFile({ path, onState, signal }: FilePull): Promise<FileLock> {
  try {
    const onWait = async () => onState("waiting", await notedBytes(path));
    return await takeLock(`${sidePath(path)}.lock`, { signal, onWait });
  } catch (error) {
    throw toDiskError(error, path);
  }
}

/** The record of the file if it exists and is right. Throws if it is another one: it is kept. */
export async function findExisting(job: ExpectedPull): Promise<FileRecord | undefined> {
  const { path, artifact, recorded, signal, onState } = job;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const { sha256, size_bytes: size } = artifact;
  if (found.isDirectory()) throw occupied(path, "a folder of that name");
  const same = recorded?.mtime_ms === found.mtimeMs && recorded.size_bytes === found.size;
  const expected = sha256 ?? recorded?.sha256 ?? null;
  if (same && recorded.sha256 === expected && (size === null || size === found.size)) {
    onState("done", found.size, found.size);
    return { ...recorded, placed_by: job.placedBy === "user" ? "user" : recorded.placed_by };
  }
  // It is an older version that a pull put there: it is replaced.
  if (same) return undefined;
  if (size !== null && found.size !== size) throw occupied(path, "another file");
  const file = await open(path, "r");
  try {
    onState("verifying", found.size, found.size);
    const digest = await hashFile(file, signal);
    if (!(await isRight(artifact, file, digest))) throw occupied(path, "another file");
    onState("done", found.size, found.size);
    return record(job, found.size, hasHash(artifact) ? digest : null, found.mtimeMs);
  } finally {
    await file.close();
  }
}

function occupied(path: string, what: string): PullError {
  const message = `${path} cannot be fetched: ${what} is there, which differs from the \
manifest's. Move it away or remove it, then pull again.`;
  return new PullError("conflict", message);
}

async function fetchFile(job: FilePull, lock: FileLock): Promise<FileRecord> {
  const { artifact, path } = job;
  const { url, size_bytes: sizeBytes, sha256 } = artifact;
  const part = await PartFile.open(path, { url, sizeBytes, sha256 });
  try {
    const digest = await complete(job, part);
    const mtimeMs = await part.finish(() => lock.isHeld());
    const size = part.bytes;
    job.onState("done", size, size);
    return record(job, size, hasHash(artifact) ? digest : null, mtimeMs);
  } catch (error) {
    // A full disk harms everything on this host: the bytes are removed.
    const useless =
      error instanceof PullError && (error.failure === "disk_full" || error.failure === "mismatch");
    if (useless || part.bytes === 0) await part.discard();
    else await part.save();
    throw error;
  } finally {
    await part.close();
  }
}

/**
 * Fetches until the part is whole and verified; returns its SHA-256. Wrong bytes are fetched again:
 * once from the hub alone if nodes sent some, and once more if the hub sent all of them.
 */
async function complete(job: FilePull, part: PartFile): Promise<string> {
  const { artifact, sources, onState } = job;
  const hub = sources.filter(({ peer }) => !peer);
  // Without a hash, wrong bytes of a node could not be detected.
  const peers = artifact.sha256 === null ? [] : sources.filter(({ peer }) => peer);
  for (let attempt = peers.length > 0 ? 0 : 1; ; attempt += 1) {
    onState("downloading", part.bytes, part.sizeBytes);
    if (artifact.size_bytes !== 0)
      await fetchFrom(attempt === 0 ? [...peers, ...hub] : hub, job, part);
    onState("verifying", part.bytes, part.bytes);
    const digest = await part.digest();
    if (await isRight(artifact, part.handle, digest)) return digest;
    const mismatch = wrongBytes(job, digest);
    if (attempt >= 2) throw mismatch;
    if (attempt === 0) for (const peer of peers) job.onDropped(peer, mismatch);
    await part.restart();
  }
}

/** Fetches what is missing from the first source that works; one that fails is given up. */
async function fetchFrom(sources: FileSource[], job: FilePull, part: PartFile): Promise<void> {
  for (const [i, source] of sources.entries()) {
    try {
      return await fetchPart(part, source, {
        ...job.fetch,
        ...(source.peer ? withPeer(job.fetch) : {}),
        sha256: job.artifact.sha256,
        onBytes: job.onBytes,
        onRestart: () => job.onState("downloading", 0),
        signal: job.signal,
      });
    } catch (error) {
      const last = i === sources.length - 1;
      if (last || !(error instanceof PullError) || LOCAL.has(error.failure)) throw error;
      job.onDropped(source, error);
    }
  }
}

/** The limits for a node as a source: there are others, so it gets little time. */
function withPeer({ idleMs, retryLimit }: FilePull["fetch"]): Partial<PartFetchOptions> {
  return {
    idleMs: Math.min(idleMs, 5000),
    retryLimit: { ...retryLimit, attemptsMax: 2, retryAfterMaxMs: 1000 },
  };
}

/** Failures that have nothing to do with the source. */
const LOCAL = new Set<string>(["disk_full", "disk"]);

/** Whether the manifest has a hash of the file. */
function hasHash({ sha256, git_oid: oid }: Artifact): boolean {
  return sha256 !== null || oid !== null;
}

async function isRight(artifact: Artifact, file: FileHandle, digest: string): Promise<boolean> {
  const { sha256, git_oid: oid, size_bytes: size } = artifact;
  if (size !== null && (await file.stat()).size !== size) return false;
  if (sha256 !== null) return digest === sha256;
  return oid === null || (await gitOid(file)) === oid;
}

function wrongBytes({ name, artifact }: FilePull, digest: string): PullError {
  const message = `Fetching ${name} failed twice: what came has the SHA-256 ${digest}, \
but ${artifact.sha256 ?? `the git object ${artifact.git_oid}`} is wanted. It was removed. If the \
file was changed on the hub, register the model anew.`;
  return new PullError("mismatch", message);
}

function record(
  { name, placedBy, recorded }: ExpectedPull,
  size: number,
  sha256: string | null,
  mtimeMs: number,
): FileRecord {
  const kept = recorded?.placed_by === "user" ? "user" : placedBy;
  return { name, size_bytes: size, sha256, mtime_ms: mtimeMs, placed_by: kept };
}
