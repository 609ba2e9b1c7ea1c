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

/** What identifies a file: its size and hash. Throws if it cannot be read. */
export async function digestOf(path: string): Promise<{ size_bytes: number; sha256: string }> {
  const hash = new Bun.CryptoHasher("sha256");
  let sizeBytes = 0;
  for await (const chunk of Bun.file(path).stream()) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { size_bytes: sizeBytes, sha256: hash.digest("hex") };
}
