import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeAtomically } from "./atomicwrite.ts";

/** Who a file belongs to: sync never deletes a file of a person (`user`). */
export const FileOwner = z.enum(["sync", "user"]);
export type FileOwner = z.infer<typeof FileOwner>;

/** A file that a pull has verified. */
export const FileRecord = z.object({
  name: z.string(),
  size_bytes: z.number(),
  sha256: z.string().nullable(),
  /** Time of the verified file, in ms: with another time, somebody else has written it since. */
  mtime_ms: z.number(),
  placed_by: FileOwner,
});
export type FileRecord = z.infer<typeof FileRecord>;

const Format = z.enum(["gguf", "safetensors"]);

/**
 * `manifest.json` beside the files of a model. Every field may be absent. A person may write it, to
 * set the id of a folder, or the quantization or format that is used.
 */
export const ModelRecord = z.object({
  id: z.string().optional(),
  repo: z.string().optional(),
  revision: z.string().optional(),
  /** The quantization for requests that name none. */
  quantization: z.string().optional(),
  format: Format.optional(),
  /** The chat template, in place of the weights' own. */
  chat_template: z.string().min(1).optional(),
  /** Formats in order of preference; takes precedence over `format`. */
  formats: z.array(Format).optional(),
  files: z.array(FileRecord).default([]),
});
export type ModelRecord = z.infer<typeof ModelRecord>;

export const RECORD_NAME = "manifest.json";
/** The record that a folder will have, while its files are being fetched. */
export const PENDING_NAME = "manifest.json.part";

const BYTES_MAX = 4 * 1024 * 1024;

/** Reads the record of a folder; undefined if there is none that can be read. */
export async function readRecord(
  folder: string,
  name: typeof RECORD_NAME | typeof PENDING_NAME = RECORD_NAME,
): Promise<ModelRecord | undefined> {
  try {
    const text = await readFile(join(folder, name), "utf8");
    if (text.length > BYTES_MAX) return undefined;
    return ModelRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // absent, or no JSON: then the files speak for themselves
  }
}

/** Writes a record at once: a reader finds the old one or the new one. */
export async function writeRecord(
  folder: string,
  record: ModelRecord,
  name: typeof RECORD_NAME | typeof PENDING_NAME = RECORD_NAME,
): Promise<void> {
  await writeAtomically(join(folder, name), `${JSON.stringify(record, null, 2)}\n`);
}
