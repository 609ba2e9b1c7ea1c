import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "./atomicwrite.ts";

/** Who put a file there; what a person put there is never deleted by sync. */
export const PlacedBy = z.enum(["sync", "user"]);
export type PlacedBy = z.infer<typeof PlacedBy>;

/** A file that was verified when it was put there. */
export const FileRecord = z.object({
  name: z.string(),
  size_bytes: z.number(),
  sha256: z.string().nullable(),
  /** Of the file as it was verified: another time means that somebody else wrote it. */
  mtime_ms: z.number(),
  placed_by: PlacedBy,
});
export type FileRecord = z.infer<typeof FileRecord>;

const Format = z.enum(["gguf", "safetensors"]);

/**
 * `manifest.json` beside the files of a model. All of it may be missing, and a person may write it:
 * to say under which name a folder is served, which quantization or format is meant.
 */
export const ModelRecord = z.object({
  id: z.string().optional(),
  repo: z.string().optional(),
  revision: z.string().optional(),
  /** The quantization that is meant when a request names none. */
  quantization: z.string().optional(),
  format: Format.optional(),
  /** What chats are put into words by, in place of the weights' own. */
  chat_template: z.string().min(1).optional(),
  /** Formats in order of preference; goes before `format`. */
  formats: z.array(Format).optional(),
  files: z.array(FileRecord).default([]),
});
export type ModelRecord = z.infer<typeof ModelRecord>;

export const RECORD_NAME = "manifest.json";
/** What is being fetched into a folder: the record that it is going to have. */
export const PENDING_NAME = "manifest.json.part";

const BYTES_MAX = 4 * 1024 * 1024;

/** The record of a folder; undefined where there is none, or none that can be read. */
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

/** Writes a record so that a reader finds the old one or the new one, whole. */
export async function writeRecord(
  folder: string,
  record: ModelRecord,
  name: typeof RECORD_NAME | typeof PENDING_NAME = RECORD_NAME,
): Promise<void> {
  await writeWhole(join(folder, name), `${JSON.stringify(record, null, 2)}\n`);
}
