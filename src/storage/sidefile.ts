import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";

/** File systems take names of 255 bytes; side files and their drafts end in up to 55 more. */
const NAME_BYTES_MAX = 200;

/**
 * How the paths of what is kept beside a file begin, such as its part and its lock: as the file's
 * own, or with a hash of its name where that is so long that no ending would fit.
 */
export function sidePath(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return path;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 32);
  return join(dirname(path), `long-${hash}`);
}
