import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExtractFile } from "../lib/extract.ts";

/*
 * What is here is for llmlb as it runs from source. In builds, `scripts/build.ts` replaces this
 * module by one that knows the files inside the executable, see `scripts/build/embed.ts`.
 */

/** The native libraries inside the compiled executable. */
export interface EmbeddedLibraries {
  /** Hash of all files' bytes; the name of the folder that they are copied to. */
  hash: string;
  files: ExtractFile[];
}

/** The libraries inside this executable; undefined when run from source. */
export function embeddedLibraries(): EmbeddedLibraries | undefined {
  return undefined;
}

/** The backends for GPUs that need no installation: those that `npm run native` has fetched. */
export function embeddedPlugins(): ExtractFile[] {
  const url = new URL(
    `../../native/build/plugins/${process.platform}-${process.arch}`,
    import.meta.url,
  );
  const folder = fileURLToPath(url);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".so"));
  return names.map((name) => ({ name, source: join(folder, name) }));
}
