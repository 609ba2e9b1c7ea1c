import { link, open, readdir, realpath, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { SourceFolders } from "../../config/modelsources.ts";
import type { Artifact } from "../../wire/manifest.ts";
import { hashFile } from "../pull/digest.ts";

/** A file of another program that was linked into the models folder. */
export interface AdoptedFile {
  sizeBytes: number;
  mtimeMs: number;
}

export interface AdoptionOptions {
  /** `org/name`, where LM Studio would have it. */
  repo: string;
  folders: SourceFolders;
  signal: AbortSignal;
  /** Called when a file is found and its bytes are hashed. */
  onVerify(sizeBytes: number): void;
}

/**
 * Links a file that another program has into the models folder, instead of fetching it: one with
 * the manifest's SHA-256, which is computed. A hard link, so that it stays whatever the other
 * program does; a symbolic one where that is not possible. Undefined if there is none, or something
 * is at `path` already.
 */
export async function adoptFile(
  artifact: Artifact,
  path: string,
  options: AdoptionOptions,
): Promise<AdoptedFile | undefined> {
  const { sha256, size_bytes: size } = artifact;
  if (sha256 === null) return undefined;
  for (const candidate of await candidates(sha256, artifact.filename, options)) {
    const real = await realpath(candidate).catch(() => undefined);
    if (real === undefined) continue;
    const found = await stat(real).catch(() => undefined);
    if (found?.isFile() !== true || (size !== null && found.size !== size)) continue;
    options.onVerify(found.size);
    if ((await digestOf(real, options.signal)) !== sha256) continue;
    const isLinked = await linkFile(real, path);
    return isLinked ? { sizeBytes: found.size, mtimeMs: found.mtimeMs } : undefined;
  }
  return undefined;
}

/** Where the file would be: other programs name theirs by the hash, LM Studio as the hub does. */
async function candidates(
  sha256: string,
  filename: string,
  { repo, folders }: AdoptionOptions,
): Promise<string[]> {
  const { hub, lmStudio, ollama } = folders;
  const own = `models--${repo.replaceAll("/", "--")}`;
  const caches = await Promise.all(
    hub.map(async (folder) => {
      const names = await readdir(folder).catch((): string[] => []);
      const repos = names.filter((name) => name.startsWith("models--") && name !== own);
      return [own, ...repos].map((name) => join(folder, name, "blobs", sha256));
    }),
  );
  return [
    ...caches.flat(),
    ...ollama.map((folder) => join(folder, "blobs", `sha256-${sha256}`)),
    ...lmStudio.map((folder) => join(folder, repo, filename)),
  ];
}

async function digestOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined); // It may be another user's.
  try {
    return file && (await hashFile(file, signal));
  } finally {
    await file?.close();
  }
}

async function linkFile(from: string, to: string): Promise<boolean> {
  const made = await link(from, to).then(
    () => true,
    // Another file system, or a file of another user (fs.protected_hardlinks).
    () =>
      symlink(from, to).then(
        () => true,
        () => false,
      ),
  );
  return made;
}
