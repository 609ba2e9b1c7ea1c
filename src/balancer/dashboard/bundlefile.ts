import { join } from "node:path";

/**
 * Where the files of the dashboard lie, as one: what `scripts/dashboard.ts` has made of
 * `src/dashboard`. In builds, `scripts/build.ts` replaces this module by the path of the file
 * inside the executable.
 */
export const BUNDLE_FILE = join(import.meta.dir, "../../../dist/dashboard.bundle");
