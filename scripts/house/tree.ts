import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { namesTwice, unreachedExports } from "./exports.ts";
import { importCircles } from "./graph.ts";
import { unreachedMembers } from "./members.ts";
import { pageReferences } from "./pages.ts";
import { breachesOf } from "./rules.ts";
import type { Breach, Source } from "./source.ts";
import { staleExceptions } from "./stale.ts";

/** Written by tools, or data. */
const NOT_OURS = /^(package-lock\.json|fixtures\/|LICENSE)|\.(gguf|png|webp|jpg|ico|woff2?|wasm)$/;
const SIZE_BYTES_MAX = 2 * 1024 * 1024;

/** Every file under `root` that is tracked or could be, but for data and what tools write. */
export function sourcesOf(root: string): Source[] {
  const git = Bun.spawnSync(["git", "ls-files", "-co", "--exclude-standard"], { cwd: root });
  const listed = git.success ? git.stdout.toString().split("\n") : [...unversioned(root)];
  const paths = listed.filter((path) => {
    if (path === "" || NOT_OURS.test(path)) return false;
    const place = join(root, path);
    return existsSync(place) && statSync(place).size < SIZE_BYTES_MAX;
  });
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** The same outside of a git checkout, e.g. in an unpacked archive. */
function* unversioned(root: string): Iterable<string> {
  yield* new Bun.Glob("{src,scripts,specs,docs,native}/**/*").scanSync({ cwd: root });
  yield* new Bun.Glob("*.{md,json,toml}").scanSync({ cwd: root });
}

/** Everything under `root` that is against the rules of the house, of one file or of several. */
export async function breachesUnder(root: string): Promise<Breach[]> {
  const sources = sourcesOf(root);
  const breaches = [
    ...sources.flatMap(breachesOf),
    ...importCircles(sources),
    ...namesTwice(sources),
    ...unreachedExports(sources),
    ...pageReferences(sources),
    ...staleExceptions(sources),
    ...(await unreachedMembers(root, sources)),
  ];
  return breaches.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}
