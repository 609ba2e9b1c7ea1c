import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { BunPlugin } from "bun";
import { LIBRARY } from "../native/libraries.ts";
import { type CompressedFile, compressFiles } from "./compress.ts";

const REPLACED = /[\\/]src[\\/]engine[\\/]embedded\.ts$/;

/** The libraries that an executable has inside. */
export interface EmbeddedFiles {
  /** llmlb's own. */
  own: EmbeddedFile[];
  /** Backends for GPUs. */
  plugins: EmbeddedFile[];
}

/** A library in its compressed form. */
export interface EmbeddedFile extends CompressedFile {
  /** What it is called when it is unpacked. */
  name: string;
}

export interface EmbedOptions {
  /** The folder with llmlb's own libraries. */
  libraries: string;
  /** The files of backends for GPUs. */
  plugins: readonly string[];
  /** Where compressed files are kept. */
  cache: string;
}

/** Compresses the libraries that are to be embedded. */
export async function filesToEmbed(options: EmbedOptions): Promise<EmbeddedFiles> {
  const { libraries, plugins, cache } = options;
  const own = librariesIn(libraries);
  const paths = [...own, ...plugins];
  const files = (await compressFiles(paths, cache)).map((file, i) => {
    return { ...file, name: basename(paths[i] ?? "") };
  });
  return { own: files.slice(0, own.length), plugins: files.slice(own.length) };
}

/**
 * Replaces `src/engine/embedded.ts` by a module that imports every library as a compressed file, so
 * that the bundler embeds them, and that knows their sizes and the hash of the own ones' contents.
 */
export function embedLibraries(files: EmbeddedFiles): BunPlugin {
  return {
    name: "embed-libraries",
    setup(build) {
      build.onLoad({ filter: REPLACED }, () => ({ contents: moduleFor(files), loader: "ts" }));
    },
  };
}

/** The source text of the module. */
export function moduleFor({ own, plugins }: EmbeddedFiles): string {
  const files = [...own, ...plugins];
  const hash = new Bun.CryptoHasher("sha256");
  for (const { name, sha256 } of own) hash.update(`${name}\n${sha256}\n`);
  const digest = JSON.stringify(hash.digest("hex").slice(0, 16));
  const entries = files.map(entry);
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
function entry({ name, sizeBytes }: EmbeddedFile, at: number): string {
  const fields = [`name: ${JSON.stringify(name)}`, `source: file${at}`];
  return `{ ${fields.join(", ")}, sizeBytes: ${sizeBytes}, compression: "zstd" }`;
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
