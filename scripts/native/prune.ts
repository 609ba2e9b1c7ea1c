import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Removes what was not used for the longest time in a folder, and leftovers of broken builds. */
export async function prune(folder: string, kept: number): Promise<void> {
  const found = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      return { path, usedMs: (await stat(path)).mtimeMs };
    }),
  );
  found.sort((a, b) => b.usedMs - a.usedMs);
  for (const { path } of found.slice(kept)) await rm(path, { recursive: true, force: true });
}
