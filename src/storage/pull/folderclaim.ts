import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { localName } from "../../model/filename.ts";
import { directoryOf } from "../../model/name.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import { takeLock } from "../filelock.ts";
import {
  type FileOwner,
  type FileRecord,
  type ModelRecord,
  PENDING_NAME,
  RECORD_NAME,
  readRecord,
  writeRecord,
} from "../modelrecord.ts";
import { PullError, toDiskError } from "./error.ts";

export interface FolderClaimOptions {
  /** Absolute path of the models folder. */
  root: string;
  manifest: Manifest;
  files: Artifact[];
  /** The chosen quantization; null if the files have none. */
  quantization: string | null;
  placedBy: FileOwner;
  signal: AbortSignal;
}

/** A folder that a pull has marked as its model's. */
export interface FolderClaim {
  folder: string;
  /** The files that the folder's record lists, by name. */
  recorded: Map<string, FileRecord>;
  /** Who each file will belong to, by name. */
  planned: Map<string, FileOwner>;
}

/**
 * Creates the folder of a model and lists in it the files that will be fetched. Throws `PullError`
 * if the folder cannot be created, or belongs to a model whose name differs only in case.
 */
export async function claimFolder(options: FolderClaimOptions): Promise<FolderClaim> {
  const { root, manifest, files, placedBy } = options;
  const folder = join(root, directoryOf(manifest.model));
  await makeFolder(folder, manifest.model);
  return locked(folder, options.signal, async () => {
    const [record, pending] = await Promise.all([
      readRecord(folder),
      readRecord(folder, PENDING_NAME),
    ]);
    refuseOther(manifest.model, folder, record?.id ?? pending?.id);
    const recorded = byName(record);
    const before = new Map([...byName(pending), ...recorded]);
    const plan = await Promise.all(
      files.map(async (artifact) => {
        const path = join(folder, localName(artifact.filename));
        const owner = before.get(localName(artifact.filename))?.placed_by;
        // A file that no pull has put there belongs to a person.
        const there = owner === undefined && (await isThere(path));
        return planned(artifact, there || owner === "user" ? "user" : placedBy);
      }),
    );
    await writeRecord(
      folder,
      { ...describe(options), files: merged(pending?.files ?? [], plan) },
      PENDING_NAME,
    );
    return { folder, recorded, planned: new Map(plan.map((file) => [file.name, file.placed_by])) };
  });
}

/** Writes the record of the files, at the end of a pull; files of other pulls stay pending. */
export async function commitFolder(
  { folder }: FolderClaim,
  options: FolderClaimOptions,
  files: FileRecord[],
): Promise<void> {
  await locked(folder, options.signal, async () => {
    const record = await readRecord(folder);
    refuseOther(options.manifest.model, folder, record?.id);
    const { chat_template: _, ...kept } = { ...record };
    const described = { ...kept, ...describe(options) };
    await writeRecord(folder, { ...described, files: merged(record?.files ?? [], files) });
    const pending = await readRecord(folder, PENDING_NAME);
    const ours = new Set(options.files.map(({ filename }) => localName(filename)));
    const left = pending?.files.filter(({ name }) => !ours.has(name)) ?? [];
    if (left.length === 0) await rm(join(folder, PENDING_NAME), { force: true });
    else await writeRecord(folder, { ...pending, files: left }, PENDING_NAME);
  });
}

function describe({ manifest, quantization }: FolderClaimOptions): Omit<ModelRecord, "files"> {
  const { model, repo, revision, chat_template } = manifest;
  const template = chat_template === undefined ? {} : { chat_template };
  return {
    ...{ id: model, repo, revision, ...template },
    ...(quantization === null ? {} : { quantization }),
  };
}

async function makeFolder(folder: string, model: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ELOOP" || code === "ENAMETOOLONG") {
      const message = `Pulling ${model} failed: its folder ${folder} cannot be made (${code}). \
Does the models folder lead somewhere that is there and takes folders?`;
      throw new PullError("disk", message, error);
    }
    if (code !== "EEXIST" && code !== "ENOTDIR") throw toDiskError(error, folder);
    const message = `Pulling ${model} failed: its folder would be ${folder}, but a file is there, \
or in the way to it. Move that away, then pull again.`;
    throw new PullError("conflict", message, error);
  }
}

async function locked<T>(folder: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const path = join(folder, `${RECORD_NAME}.lock`);
  try {
    const lock = await takeLock(path, { signal });
    try {
      return await work();
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw toDiskError(error, folder);
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Throws 409 if a folder belongs to another model. */
export function refuseOther(model: string, folder: string, owner: string | undefined): void {
  if (owner === undefined || owner === model) return;
  const message = `Pulling ${model} failed: its folder ${folder} belongs to the model ${owner}. \
Remove that model first.`;
  throw new PullError("conflict", message);
}

function planned({ filename, size_bytes: size, sha256 }: Artifact, by: FileOwner): FileRecord {
  return {
    name: localName(filename),
    size_bytes: size ?? 0,
    sha256,
    mtime_ms: 0,
    placed_by: by,
  };
}

/** The files of a record by name. */
export function byName(record: ModelRecord | undefined): Map<string, FileRecord> {
  return new Map(record?.files.map((file) => [file.name, file]));
}

function merged(before: FileRecord[], after: FileRecord[]): FileRecord[] {
  const names = new Set(after.map(({ name }) => name));
  return [...before.filter(({ name }) => !names.has(name)), ...after];
}
