import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { BunPlugin } from "bun";
import { LIBRARY } from "../native/libraries.ts";
import { type CompressedFile, compressFiles } from "./compress.ts";

const REPLACED = /[\\/]src[\\/]engine[\\/]embedded\.ts$/;

export interface EmbedOptions {
  /** The folder with llmlb's own libraries. */
  libraries: string;
  /** The folder with backends for GPUs; undefined: there are none for the target. */
  plugins: string | undefined;
  /** Where compressed files are kept. */
  cache: string;
}

/**
 * Replaces `src/engine/embedded.ts` by a module that imports every library as a compressed file, so
 * that the bundler embeds them, and that knows their sizes and the hash of the own ones' contents.
 */
export function embedLibraries(options: EmbedOptions): BunPlugin {
  return {
    name: "embed-libraries",
    setup(build) {
      build.onLoad({ filter: REPLACED }, async () => ({
        contents: await moduleFor(options),
        loader: "ts",
      }));
    },
  };
}

/** The source text of the module. */
export async function moduleFor({ libraries, plugins, cache }: EmbedOptions): Promise<string> {
  const own = librariesIn(libraries);
  const others = plugins === undefined ? [] : librariesIn(plugins);
  const files = await compressFiles([...own, ...others], cache);
  const hash = new Bun.CryptoHasher("sha256");
  for (const [i, path] of own.entries()) hash.update(`${basename(path)}\n${files[i]?.sha256}\n`);
  const digest = JSON.stringify(hash.digest("hex").slice(0, 16));
  const entries = [...own, ...others].map((path, i) => entry(basename(path), i, files[i]));
  return [
    ...files.map(
      ({ path }, i) => `import file${i} from ${JSON.stringify(path)} with { type: "file" };`,
    ),
    `const libraries = [${entries.slice(0, own.length).join(", ")}];`,
    `const plugins = [${entries.slice(own.length).join(", ")}];`,
    `export function embeddedLibraries() { return { hash: ${digest}, files: libraries }; }`,
    "export function embeddedPlugins() { return plugins; }",
    "",
  ].join("\n");
}

function librariesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => LIBRARY.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** An `ExtractFile` as source text. */
function entry(name: string, at: number, file: CompressedFile | undefined): string {
  const fields = [`name: ${JSON.stringify(name)}`, `source: file${at}`];
  return `{ ${fields.join(", ")}, sizeBytes: ${file?.sizeBytes}, compression: "zstd" }`;
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
