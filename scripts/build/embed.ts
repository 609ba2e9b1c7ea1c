import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BunPlugin } from "bun";
import { LIBRARY } from "../native/libraries.ts";

const REPLACED = /[\\/]src[\\/]engine[\\/]embedded\.ts$/;

/**
 * Replaces `src/engine/embedded.ts` by a module that imports every library of `folder` as a file,
 * so that the bundler embeds them, and that knows their sizes and the hash of their contents.
 */
export function embedLibraries(folder: string): BunPlugin {
  return {
    name: "embed-libraries",
    setup(build) {
      build.onLoad({ filter: REPLACED }, () => ({ contents: moduleFor(folder), loader: "ts" }));
    },
  };
}

/** The source text of the module for the libraries of a folder. */
export function moduleFor(folder: string): string {
  const names = readdirSync(folder).filter((name) => LIBRARY.test(name));
  names.sort();
  const hash = new Bun.CryptoHasher("sha256");
  const imports: string[] = [];
  const files: string[] = [];
  for (const [i, name] of names.entries()) {
    const path = join(folder, name);
    hash.update(`${name}\n`).update(readFileSync(path));
    imports.push(`import file${i} from ${JSON.stringify(path)} with { type: "file" };`);
    const fields = [`name: ${JSON.stringify(name)}`, `path: file${i}`];
    files.push(`  { ${fields.join(", ")}, sizeBytes: ${statSync(path).size} },`);
  }
  const digest = JSON.stringify(hash.digest("hex").slice(0, 16));
  return [
    ...imports,
    "const files = [",
    ...files,
    "];",
    `export function embeddedLibraries() { return { hash: ${digest}, files }; }`,
    "",
  ].join("\n");
}

/** Replaces `src/balancer/dashboard/bundlefile.ts` by a module that has that file embedded. */
export function embedDashboard(file: string): BunPlugin {
  const contents = [
    `import file from ${JSON.stringify(file)} with { type: "file" };`,
    "export const BUNDLE_FILE = file;",
  ].join("\n");
  return {
    name: "embed-dashboard",
    setup(build) {
      const filter = /[\\/]src[\\/]balancer[\\/]dashboard[\\/]bundlefile\.ts$/;
      build.onLoad({ filter }, () => ({ contents, loader: "ts" }));
    },
  };
}
