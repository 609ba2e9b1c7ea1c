import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";
import type { PluginName } from "../src/engine/plugin/pin.ts";
import { errorMessage } from "../src/lib/errormessage.ts";
import { type Content, contentsOf, importedFiles } from "./build/contents.ts";
import { type EmbeddedFiles, embedDashboard, embedLibraries, filesToEmbed } from "./build/embed.ts";
import { buildDashboard } from "./dashboard.ts";
import { lockFolder } from "./native/lock.ts";
import { fetchPackage, type Pin, unpack } from "./native/package.ts";
import { buildPlugins } from "./native/plugins.ts";
import { megabytes } from "./native/progress.ts";
import { cacheFolder, ROOT } from "./native/sources.ts";
import { hostTarget, type Target, targetOf } from "./native/target.ts";
import { buildNative } from "./native.ts";

export interface BuildOptions {
  /** Public keys that releases are believed by, parted by commas. Default: none. */
  releaseKeys?: string | undefined;
  /** Its version. Default: that of package.json. */
  version?: string | undefined;
  /** Which of a release's executables it is. Default: the plain one of its target. */
  variant?: string | undefined;
  /** Backends for GPUs that come with it. Default: Vulkan's, where there is one. */
  backends?: readonly PluginName[] | undefined;
  /** Where the source map goes. Default: it is inside, compressed. */
  sourceMap?: string | undefined;
}

/** Builds the single executable for a target; returns what is in it. */
export async function build(
  target: Target,
  outfile: string,
  options: BuildOptions = {},
): Promise<Content[]> {
  const { folder } = await buildNative(target, { fromSource: false });
  const startMs = performance.now();
  const unfinished = join(dirname(outfile), `.${process.pid}`, basename(outfile));
  await mkdir(join(unfinished, ".."), { recursive: true });
  let contents: Content[];
  try {
    contents = await bundle({ target, libraries: folder, outfile: unfinished, ...options });
    // A running executable cannot be written to, but it can be replaced.
    await rename(unfinished, outfile);
  } finally {
    await rm(join(unfinished, ".."), { recursive: true, force: true });
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  say(`${outfile} (${megabytes((await stat(outfile)).size)}) built in ${seconds} s`);
  return contents;
}

interface BundleOptions extends BuildOptions {
  target: Target;
  /** The folder of llmlb's own libraries. */
  libraries: string;
  outfile: string;
}

async function bundle(options: BundleOptions): Promise<Content[]> {
  const { target, libraries, outfile, sourceMap } = options;
  const base = await baseExecutable(target);
  const plugins = await buildPlugins(target, options.backends);
  const cache = join(cacheFolder(), "compressed");
  const files = await filesToEmbed({ libraries, plugins, cache });
  const parts = { ...options, files, dashboard: await buildDashboard(), base };
  // With any kind of source map the executable has it inside as well: it is built twice.
  const text = sourceMap === undefined ? undefined : await writeSourceMap(parts, sourceMap);
  const { outputs, metafile } = await runBundler(parts, sourceMap === undefined);
  const script = outputs.find(({ kind }) => kind === "entry-point");
  if (text !== undefined && text !== (await script?.text())) {
    throw new Error("Bundling src/main.ts: the source map belongs to another text.");
  }
  return contentsOf({
    sizeBytes: (await stat(outfile)).size,
    runtimeBytes: (await stat(base ?? process.execPath)).size,
    scriptBytes: script?.size ?? 0,
    libraries: files,
    files: await importedFiles(metafile?.inputs ?? {}, ROOT),
  });
}

/** Writes the source map of what will be built without one; returns the text that it is for. */
async function writeSourceMap(parts: BundleParts, sourceMap: string): Promise<string> {
  const { outputs } = await runBundler(parts, true);
  const [script, map] = ["entry-point", "sourcemap"].map((kind) =>
    outputs.find((output) => output.kind === kind),
  );
  if (script === undefined || map === undefined) {
    throw new Error("Bundling src/main.ts: it made no source map.");
  }
  await Bun.write(sourceMap, map);
  return (await script.text()).replace(/\n?\/\/# debugId=[^\n]*\n?$/, "");
}

interface BundleParts extends BundleOptions {
  files: EmbeddedFiles;
  /** The file with the dashboard. */
  dashboard: string;
  /** The Bun to build upon; undefined: the running one. */
  base: string | undefined;
}

async function runBundler(parts: BundleParts, hasMap: boolean): Promise<Bun.BuildOutput> {
  const { target, outfile, releaseKeys, version, variant, base } = parts;
  const result = await Bun.build({
    entrypoints: [join(ROOT, "src/main.ts")],
    plugins: [
      embedLibraries(parts.files),
      embedDashboard(parts.dashboard),
      ...(version === undefined ? [] : [withVersion(version)]),
    ],
    define: {
      "process.env.NODE_ENV": '"production"',
      LLMLB_RELEASE_KEYS: JSON.stringify(releaseKeys ?? ""),
      LLMLB_VARIANT: JSON.stringify(variant ?? target.name),
    },
    minify: true,
    bytecode: true,
    format: "esm",
    sourcemap: hasMap ? "inline" : "none",
    metafile: true,
    compile: {
      target: target.compile,
      outfile,
      // Files that happen to lie in the folder where it is started must not change what it does.
      autoloadDotenv: false,
      autoloadBunfig: false,
      ...(base === undefined ? {} : { executablePath: base }),
    },
    throw: false,
  });
  if (result.success) return result;
  throw new Error(`Bundling src/main.ts:\n${result.logs.map(String).join("\n")}`);
}

/** Gives the executable another version than the one of package.json. */
function withVersion(version: string): BunPlugin {
  return {
    name: "version",
    setup(build) {
      build.onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
        const contents = await Bun.file(path).json();
        const changed = path === join(ROOT, "package.json") ? { ...contents, version } : contents;
        return { contents: JSON.stringify(changed), loader: "json" };
      });
    },
  };
}

/** The Bun to build upon: the running one for this machine, else the pinned one of the target. */
async function baseExecutable(target: Target): Promise<string | undefined> {
  if (target.name === hostTarget().name) return undefined;
  const cache = cacheFolder();
  const pin = await bunPin(target);
  const folder = join(cache, "bun", `${target.name}-${pin.version}`);
  const name = target.platform === "win32" ? "bun.exe" : "bun";
  const path = join(folder, name);
  await mkdir(folder, { recursive: true });
  await mkdir(join(cache, "packages"), { recursive: true });
  await using _lock = await lockFolder(folder, () => say("waiting for another build to finish"));
  if (await Bun.file(path).exists()) return path;
  const unfinished = join(folder, "tmp");
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await unpack(await fetchPackage(pin, join(cache, "packages")), `package/bin/${name}`, unfinished);
  await chmod(join(unfinished, name), 0o755);
  await rename(join(unfinished, name), path);
  return path;
}

/** Version and checksum of a target's Bun, as package-lock.json pins them. */
async function bunPin(target: Target): Promise<Pin> {
  const lock = await Bun.file(join(ROOT, "package-lock.json")).json();
  const entry = lock.packages[`node_modules/${target.bunPackage}`];
  if (entry === undefined) throw new Error(`package-lock.json: ${target.bunPackage} is missing.`);
  return { name: target.bunPackage, version: entry.version, integrity: entry.integrity };
}

function say(text: string): void {
  process.stderr.write(`llmlb: ${text}\n`);
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: { target: { type: "string" }, "release-keys": { type: "string" } },
    });
    const target = targetOf(values.target);
    const suffix = values.target === undefined ? "" : `-${target.name}`;
    await build(target, join(ROOT, "dist", `llmlb${suffix}${target.suffix}`), {
      releaseKeys: values["release-keys"],
    });
  } catch (cause) {
    say(errorMessage(cause));
    process.exit(1);
  }
}
