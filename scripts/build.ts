import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";
import { errorMessage } from "../src/lib/errormessage.ts";
import { embedDashboard, embedLibraries } from "./build/embed.ts";
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
}

/** Builds the single executable for a target; returns its path. */
export async function build(
  target: Target,
  outfile: string,
  options: BuildOptions = {},
): Promise<string> {
  const { folder } = await buildNative(target, { fromSource: false });
  const startMs = performance.now();
  const unfinished = join(dirname(outfile), `.${process.pid}`, basename(outfile));
  await mkdir(join(unfinished, ".."), { recursive: true });
  try {
    await bundle({ target, libraries: folder, outfile: unfinished, ...options });
    // A running executable cannot be written to, but it can be replaced.
    await rename(unfinished, outfile);
  } finally {
    await rm(join(unfinished, ".."), { recursive: true, force: true });
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  say(`${outfile} (${megabytes((await stat(outfile)).size)}) built in ${seconds} s`);
  return outfile;
}

interface BundleOptions extends BuildOptions {
  target: Target;
  /** The folder of llmlb's own libraries. */
  libraries: string;
  outfile: string;
}

async function bundle(options: BundleOptions): Promise<void> {
  const { target, libraries, outfile, releaseKeys, version } = options;
  const base = await baseExecutable(target);
  const plugins = await buildPlugins(target);
  const embedded = { libraries, plugins, cache: join(cacheFolder(), "compressed") };
  const result = await Bun.build({
    entrypoints: [join(ROOT, "src/main.ts")],
    plugins: [
      embedLibraries(embedded),
      embedDashboard(await buildDashboard()),
      ...(version === undefined ? [] : [withVersion(version)]),
    ],
    define: {
      "process.env.NODE_ENV": '"production"',
      LLMLB_RELEASE_KEYS: JSON.stringify(releaseKeys ?? ""),
    },
    minify: true,
    bytecode: true,
    format: "esm",
    sourcemap: "inline",
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
  if (result.success) return;
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
