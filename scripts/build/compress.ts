import { existsSync } from "node:fs";
import { mkdir, rename, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prune } from "../native/prune.ts";

/** Above this, zstd takes far longer for next to nothing. */
const LEVEL = 19;
/** Code for GPUs is compressed in itself: the level above would take minutes for 1 % of it. */
const LARGE_LEVEL = 9;
const LARGE_BYTES = 100_000_000;
/** More than the files of two builds. */
const FILES_KEPT = 64;

/** A file in its compressed form. */
export interface CompressedFile {
  /** Path of the copy, which zstd has compressed. */
  path: string;
  /** SHA-256 of what is in it, in hexadecimal digits. */
  sha256: string;
  /** Size of what is in it. */
  sizeBytes: number;
}

/**
 * Compresses files, each by itself; the copies lie in `folder` and are found there by later builds,
 * since a large library takes a quarter of a minute.
 */
export async function compressFiles(paths: string[], folder: string): Promise<CompressedFile[]> {
  await mkdir(folder, { recursive: true });
  const files: CompressedFile[] = [];
  for (const path of paths) files.push(await compress(path, folder));
  await prune(folder, FILES_KEPT);
  return files;
}

async function compress(source: string, folder: string): Promise<CompressedFile> {
  const bytes = await Bun.file(source).bytes();
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const path = join(folder, `${sha256}.zst`);
  if (existsSync(path)) {
    await utimes(path, new Date(), new Date());
  } else {
    const unfinished = `${path}.${process.pid}.tmp`;
    const level = bytes.byteLength < LARGE_BYTES ? LEVEL : LARGE_LEVEL;
    await writeFile(unfinished, await Bun.zstdCompress(bytes, { level }));
    await rename(unfinished, path);
  }
  return { path, sha256, sizeBytes: bytes.byteLength };
}
