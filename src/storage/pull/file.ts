import { type FileHandle, open, stat } from "node:fs/promises";
import type { Artifact } from "../../wire/manifest.ts";
import type { PullState } from "../../wire/pull.ts";
import type { FileRecord, PlacedBy } from "../record.ts";
import { gitOid, hashFile } from "./digest.ts";
import { asDiskFailure, PullError } from "./failure.ts";
import { type FetchOptions, fetchPart } from "./fetch.ts";
import { type Lock, takeLock } from "./lock.ts";
import { notedBytes, Part } from "./part.ts";
import type { Source } from "./request.ts";

export interface FileJob {
  artifact: Artifact;
  /** The name it gets in the folder. */
  name: string;
  /** Absolute path that it gets. */
  path: string;
  /** Peers first, the hub last. */
  sources: Source[];
  /** Verified earlier: what `manifest.json` says of it. */
  known: FileRecord | undefined;
  placedBy: PlacedBy;
  fetch: Omit<FetchOptions, "sha256" | "onBytes" | "onRestart" | "signal">;
  /** A state, with how many bytes are there. */
  onState(state: PullState, bytes: number, totalBytes?: number): void;
  onBytes(count: number): void;
  /** A source that is given up, and why. */
  onDropped(source: Source, cause: unknown): void;
  signal: AbortSignal;
}

/**
 * Sees to it that a file is there, whole and verified: fetched by this process, or by another that
 * is at it already. What may be left behind is nothing, or a part that can be gone on with. Throws
 * `PullError`, or the signal's reason.
 */
export async function pullFile(job: FileJob): Promise<FileRecord> {
  const there = await findThere(job);
  if (there !== undefined) return there;
  const lock = await lockFile(job);
  try {
    return (await findThere(job)) ?? (await fetchFile(job, lock));
  } finally {
    await lock.release();
  }
}

async function lockFile({ path, onState, signal }: FileJob): Promise<Lock> {
  try {
    const onWait = async () => onState("waiting", await notedBytes(path));
    return await takeLock(`${path}.lock`, { signal, onWait });
  } catch (error) {
    throw asDiskFailure(error, path);
  }
}

/** The file, if it is there and right. One that is there and wrong is not ours to replace. */
async function findThere(job: FileJob): Promise<FileRecord | undefined> {
  const { path, artifact, known, signal, onState } = job;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const { sha256, size_bytes: size } = artifact;
  if (found.isDirectory()) throw occupied(path, "a folder of that name");
  const same = known?.mtime_ms === found.mtimeMs && known.size_bytes === found.size;
  const wanted = sha256 ?? known?.sha256 ?? null;
  if (same && known.sha256 === wanted && (size === null || size === found.size)) {
    onState("done", found.size, found.size);
    return { ...known, placed_by: job.placedBy === "user" ? "user" : known.placed_by };
  }
  // It is as we put it there, and another one is wanted by now.
  if (same) return undefined;
  if (size !== null && found.size !== size) throw occupied(path, "another file");
  const file = await open(path, "r");
  try {
    onState("verifying", found.size, found.size);
    const digest = await hashFile(file, signal);
    if (!(await isRight(artifact, file, digest))) throw occupied(path, "another file");
    onState("done", found.size, found.size);
    return record(job, found.size, isVouched(artifact) ? digest : null, found.mtimeMs);
  } finally {
    await file.close();
  }
}

function occupied(path: string, what: string): PullError {
  const message = `${path} cannot be fetched: ${what} is there, which differs from the \
manifest's. Move it away or remove it, then pull again.`;
  return new PullError("conflict", message);
}

async function fetchFile(job: FileJob, lock: Lock): Promise<FileRecord> {
  const { artifact, path } = job;
  const { url, size_bytes: sizeBytes, sha256 } = artifact;
  const part = await Part.open(path, { url, sizeBytes, sha256 });
  try {
    const digest = await complete(job, part);
    const mtimeMs = await part.finish(() => lock.held());
    const size = part.bytes;
    job.onState("done", size, size);
    return record(job, size, isVouched(artifact) ? digest : null, mtimeMs);
  } catch (error) {
    // A full disk harms all that runs here: what came is given back.
    const worthless =
      error instanceof PullError && (error.failure === "disk_full" || error.failure === "mismatch");
    if (worthless || part.bytes === 0) await part.discard();
    else await part.save();
    throw error;
  } finally {
    await part.close();
  }
}

/**
 * Fetches until the part is whole and right. Wrong bytes are fetched once more: from the hub alone
 * if nodes were asked before, and the hub gets a second chance itself.
 */
async function complete(job: FileJob, part: Part): Promise<string> {
  const { artifact, sources, onState } = job;
  const hub = sources.filter(({ peer }) => !peer);
  // Without a hash nothing would tell that a node's bytes are wrong.
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

/** Fetches what is missing from the first source that has it; one that fails is given up. */
async function fetchFrom(sources: Source[], job: FileJob, part: Part): Promise<void> {
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

/** A node that does not answer soon is not worth waiting for. */
function withPeer({ idleMs, patience }: FileJob["fetch"]): Partial<FetchOptions> {
  return {
    idleMs: Math.min(idleMs, 5000),
    patience: { ...patience, attemptsMax: 2, retryAfterMaxMs: 1000 },
  };
}

/** What no other source would change. */
const LOCAL = new Set<string>(["disk_full", "disk"]);

/** Whether the manifest says how to tell the right bytes from others. */
function isVouched({ sha256, git_oid: oid }: Artifact): boolean {
  return sha256 !== null || oid !== null;
}

async function isRight(artifact: Artifact, file: FileHandle, digest: string): Promise<boolean> {
  const { sha256, git_oid: oid, size_bytes: size } = artifact;
  if (size !== null && (await file.stat()).size !== size) return false;
  if (sha256 !== null) return digest === sha256;
  return oid === null || (await gitOid(file)) === oid;
}

function wrongBytes({ name, artifact }: FileJob, digest: string): PullError {
  const message = `Fetching ${name} failed twice: what came has the SHA-256 ${digest}, \
but ${artifact.sha256 ?? `the git object ${artifact.git_oid}`} is wanted. It was removed. If the \
file was changed on the hub, register the model anew.`;
  return new PullError("mismatch", message);
}

function record(
  { name, placedBy, known }: FileJob,
  size: number,
  sha256: string | null,
  mtimeMs: number,
): FileRecord {
  const kept = known?.placed_by === "user" ? "user" : placedBy;
  return { name, size_bytes: size, sha256, mtime_ms: mtimeMs, placed_by: kept };
}
