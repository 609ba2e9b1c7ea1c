import { z } from "zod";

/** The first entry of a backup: what else is in it. */
export const BackupManifest = z.object({
  /** Of the archive itself. */
  format: z.literal(1),
  /** The version of llmlb that made it. */
  llmlb: z.string(),
  created_at: z.string(),
  files: z.array(
    z.object({
      name: z.string().regex(/^[\w][\w.-]{0,99}$/),
      size_bytes: z.number().int().min(0),
      sha256: z.string(),
      /** Of a database. */
      schema: z.number().int().optional(),
    }),
  ),
});
export type BackupManifest = z.infer<typeof BackupManifest>;

export const MANIFEST_FILE = "manifest.json";
