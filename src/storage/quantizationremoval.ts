import { lstat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { isSameQuantization } from "../model/quantization.ts";
import { ApiError } from "../wire/error.ts";
import { syncFolder } from "./atomicwrite.ts";
import { takeLock } from "./filelock.ts";
import { readFolder } from "./foldercontent.ts";
import { MetadataCache, sortByRole } from "./metadatacache.ts";
import { RECORD_NAME, readRecord, writeRecord } from "./modelrecord.ts";
import { refuseElsewhere, removeModelFolder } from "./modelremoval.ts";

export interface QuantizationRemoval {
  /** Absolute path of the models folder. */
  root: string;
  /** Absolute path of the model's folder. */
  folder: string;
  /** Names of the files of the quantization's weights. */
  files: string[];
  /** As the names of the files spell it. */
  quantization: string;
  signal: AbortSignal;
}

/**
 * Removes one quantization of a model, or the whole model if it has no other. Throws 409 if the
 * folder is reached through a link: files elsewhere are never removed.
 */
export async function removeQuantization(options: QuantizationRemoval): Promise<void> {
  const { root, folder, files, quantization, signal } = options;
  await refuseElsewhere(root, folder);
  if ((await lstat(folder)).isSymbolicLink()) throw elsewhere(folder, quantization);
  const lock = await takeLock(join(folder, `${RECORD_NAME}.lock`), { signal });
  try {
    const record = await readRecord(folder);
    const gone = new Set(files);
    for (const name of files) await unlink(join(folder, name));
    const left = await sortByRole((await readFolder(folder)).files, new MetadataCache());
    if (left.model.length === 0) return await removeModelFolder(root, folder);
    if (record === undefined) return await syncFolder(folder);
    const { quantization: meant, ...rest } = record;
    await writeRecord(folder, {
      ...rest,
      ...(meant === undefined || isSameQuantization(meant, quantization)
        ? {}
        : { quantization: meant }),
      files: record.files.filter(({ name }) => !gone.has(name)),
    });
  } finally {
    await lock.release();
  }
}

function elsewhere(folder: string, quantization: string): ApiError {
  const message = `Removing ${quantization} failed: ${folder} is a link to a folder elsewhere. \
Remove the file there, or all of the model: then the link goes.`;
  return new ApiError("conflict", message, { code: "model_elsewhere", param: "model" });
}
