import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
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

/** Builds the single executable for a target in `dist/`; returns its path. */
async function build(target: Target, outfile: string): Promise<string> {
  const { folder } = await buildNative(target, { fromSource: false });
  const startMs = performance.now();
  const unfinished = join(ROOT, "dist", `.${process.pid}`, basename(outfile));
  await mkdir(join(unfinished, ".."), { recursive: true });
  try {
    await bundle(target, folder, unfinished);
    // A running executable cannot be written to, but it can be replaced.
    await rename(unfinished, outfile);
  } finally {
    await rm(join(unfinished, ".."), { recursive: true, force: true });
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  say(`${outfile} (${megabytes((await stat(outfile)).size)}) built in ${seconds} s`);
  return outfile;
}

async function bundle(target: Target, libraries: string, outfile: string): Promise<void> {
  const base = await baseExecutable(target);
  const plugins = await buildPlugins(target);
  const embedded = { libraries, plugins, cache: join(cacheFolder(), "compressed") };
  const result = await Bun.build({
    entrypoints: [join(ROOT, "src/main.ts")],
    plugins: [embedLibraries(embedded), embedDashboard(await buildDashboard())],
    define: { "process.env.NODE_ENV": '"production"' },
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
    const { values } = parseArgs({ options: { target: { type: "string" } } });
    const target = targetOf(values.target);
    const suffix = values.target === undefined ? "" : `-${target.name}`;
    await build(target, join(ROOT, "dist", `llmlb${suffix}${target.suffix}`));
  } catch (cause) {
    say(errorMessage(cause));
    process.exit(1);
  }
}
