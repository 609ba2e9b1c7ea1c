import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncFile } from "./syncfile.ts";

/** A file to copy out of the executable. */
export interface ExtractFile {
  /** Its name in the target folder, without any folder. */
  name: string;
  /** Where it is read from; may be a path inside the executable's own file system. */
  source: string;
  /** Its expected size. Default: the size of the source. */
  sizeBytes?: number;
  /** How the source is compressed; needs `sizeBytes`. Default: not at all. */
  compression?: "zstd";
}

export interface ExtractOptions {
  /** The folder that will hold exactly these files. Its name should contain their content hash. */
  into: string;
  files: ExtractFile[];
}

/** Age at which the temporary folder of a process that died is removed. */
const LEFTOVER_MS = 3_600_000;

/** Most tries to publish a folder, because other processes may do the same at this time. */
const PUBLISH_TRIES_MAX = 5;

/**
 * Copies files into a folder, unless it has them in the right sizes already. Returns its path.
 * Any number of processes may do so at once: each copies to a folder of its own and renames that;
 * the first one wins, and a broken folder is replaced.
 * Throws if the disk is full, the folder is not writable or a source is not readable.
 */
export async function extractOnce({ into, files }: ExtractOptions): Promise<string> {
  const sized = files.map(withSize);
  if (await isComplete(into, sized)) return into;
  await mkdir(dirname(into), { recursive: true });
  await removeLeftovers(into);
  const own = `${into}.tmp-${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  try {
    await mkdir(own);
    for (const file of sized) await copy(file, join(own, file.name));
    if (!(await isComplete(own, sized))) {
      throw new Error(`Copying built-in files to ${own} failed: their sizes came out wrong.`);
    }
    await publish(own, into, sized);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return into;
}

/** A hash of the contents of all files together: 16 hexadecimal digits of a SHA-256. */
export async function contentHash(sources: string[]): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for (const source of sources) {
    for await (const chunk of Bun.file(source).stream()) hash.update(chunk);
  }
  return hash.digest("hex").slice(0, 16);
}

type SizedFile = ExtractFile & { sizeBytes: number };

function withSize(file: ExtractFile): SizedFile {
  if (basename(file.name) !== file.name) {
    throw new Error(`Extracting ${file.name} failed: the name must not contain a folder.`);
  }
  return { ...file, sizeBytes: file.sizeBytes ?? Bun.file(file.source).size };
}

async function isComplete(folder: string, files: SizedFile[]): Promise<boolean> {
  const checks = files.map(async ({ name, sizeBytes }) => {
    const found = await stat(join(folder, name)).catch(() => undefined);
    return found?.isFile() === true && found.size === sizeBytes;
  });
  return (await Promise.all(checks)).every(Boolean);
}

/** Copies a file and syncs it, so that after a power cut the folder is absent or complete. */
async function copy({ source, compression }: SizedFile, target: string): Promise<void> {
  const file = Bun.file(source);
  await Bun.write(
    target,
    compression === "zstd" ? await Bun.zstdDecompress(await file.bytes()) : file,
  );
  await syncFile(target);
}

async function publish(own: string, into: string, files: SizedFile[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await rename(own, into);
    } catch (cause) {
      // The folder that is in the way is complete, by another process, or broken.
      if (await isComplete(into, files)) return;
      if (attempt === PUBLISH_TRIES_MAX) {
        throw new Error(`Moving built-in files to ${into} failed: is it writable?`, { cause });
      }
      await setAside(into, `${own}-broken-${attempt}`);
    }
  }
}

async function setAside(folder: string, aside: string): Promise<void> {
  try {
    await rename(folder, aside);
  } catch {
    return; // Another process was faster; the next try sees its result.
  }
  await rm(aside, { recursive: true, force: true });
}

async function removeLeftovers(into: string): Promise<void> {
  const parent = dirname(into);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(into)}.tmp-`)) continue;
    const path = join(parent, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < LEFTOVER_MS) continue;
    await rm(path, { recursive: true, force: true });
  }
}
