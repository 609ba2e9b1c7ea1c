import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sources from "../native/sources.json" with { type: "json" };
import { errorMessage } from "../src/lib/errormessage.ts";
import { cmake } from "./native/compile.ts";
import { compileLibraries, LIBRARY, unpackLibraries } from "./native/libraries.ts";
import { lockFolder } from "./native/lock.ts";
import { fetchPackage, unpack } from "./native/package.ts";
import { buildPlugins, hostWantsPlugins } from "./native/plugins.ts";
import { prune } from "./native/prune.ts";
import { capture } from "./native/run.ts";
import * as from from "./native/sources.ts";
import { type Target, targetOf } from "./native/target.ts";
import { requireTools } from "./native/tools.ts";

/** How many finished builds and how many folders of object files the cache keeps. */
const BUILDS_KEPT = 6;
const WORK_KEPT = 4;

/** What a build starts from. */
interface BuildBase {
  target: Target;
  /** Compile llama.cpp as well, instead of taking the prebuilt libraries. */
  fromSource: boolean;
  /** The cache. */
  cache: string;
}

/** One build of the native library. */
interface Build extends BuildBase {
  hash: string;
  /** The finished build in the cache. */
  result: string;
}

/**
 * Makes `native/build/<target>/` hold the native library with the libraries that it needs; returns
 * that folder. Takes no time when nothing has changed since the last build.
 */
export async function buildNative(target: Target, options: { fromSource: boolean }) {
  const fromSource = options.fromSource || from.librariesPin(target) === undefined;
  const hash = from.buildHash(target, fromSource);
  const folder = join(from.NATIVE, "build", target.name);
  if (builtHash(folder) === hash) return { folder, hash, fresh: false };
  const cache = from.cacheFolder();
  const result = join(cache, "native", `${target.name}-${hash}`);
  const build: Build = { target, hash, fromSource, cache, result };
  if (!existsSync(result)) await makeResult(build);
  await utimes(result, new Date(), new Date());
  await publish(result, folder);
  return { folder, hash, fresh: true };
}

function builtHash(folder: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "build.json"), "utf8")).hash;
  } catch {
    return undefined; // not built yet, or not completely
  }
}

async function makeResult(build: Build): Promise<void> {
  const { cache, result } = build;
  await requireTools(build.target);
  const work = workFolder(build);
  await using _lock = await lockWork(work);
  if (existsSync(result)) return;
  const log = join(work, "build.log");
  const { source, libraries } = await fetchSources(build, log);
  const out = `${result}.${process.pid}.tmp`;
  try {
    await install(build, { source, libraries, out, log });
    await moveInto(out, result);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
  await prune(join(cache, "native"), BUILDS_KEPT);
  await prune(join(cache, "work"), WORK_KEPT);
}

interface InstallPlaces {
  source: string;
  libraries: string;
  out: string;
  log: string;
}

/** Builds our own libraries and puts them beside llama.cpp's. */
async function install(build: Build, { source, libraries, out, log }: InstallPlaces) {
  const { target } = build;
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  for (const name of await readdir(libraries)) {
    if (LIBRARY.test(name)) await cp(join(libraries, name), join(out, name));
  }
  await cmake({
    label: `building the native library for ${target.name}`,
    target,
    source: from.NATIVE,
    build: join(workFolder(build), "build"),
    defines: {
      LLAMA_SOURCE_DIR: source,
      LLAMA_LIBRARY_DIR: libraries,
      CMAKE_BUILD_TYPE: "Release",
      CMAKE_INSTALL_PREFIX: out,
      LLMLB_LLAMA_SERVER: "OFF",
    },
    log,
    install: true,
  });
  const facts = { hash: build.hash, target: target.name, llama_cpp: sources.llama_cpp };
  await writeFile(join(out, "build.json"), `${JSON.stringify(facts)}\n`);
}

/** Where source, libraries and object files of a build lie. */
export function workFolder({ target, cache, fromSource }: BuildBase): string {
  return join(cache, "work", `${target.name}-${from.baseHash(target, fromSource)}`);
}

/** Makes a work folder this process's own until disposal. */
export async function lockWork(work: string): Promise<AsyncDisposable> {
  await mkdir(work, { recursive: true });
  return lockFolder(work, () => say("waiting for another build to finish"));
}

/** Brings source and libraries into the (locked) work folder, if they are not there already. */
export async function fetchSources(build: BuildBase, log: string) {
  const work = workFolder(build);
  await writeFile(log, "");
  const source = await step(join(work, "llama.cpp"), (folder) => cloneSource(build, folder));
  const { target, fromSource, cache } = build;
  const libraries = await step(join(work, "libraries"), async (folder) =>
    fromSource
      ? compileLibraries({ target, source, folder, log })
      : unpackLibraries({ target, folder, packages: await packages(cache) }),
  );
  return { source, libraries };
}

/** Makes a folder by `make`, once: a folder that was not finished is made again. */
async function step(folder: string, make: (folder: string) => Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.tmp`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await make(unfinished);
  await rename(unfinished, folder);
  return folder;
}

async function cloneSource({ cache }: BuildBase, folder: string): Promise<void> {
  const archive = await fetchPackage(from.sourcePin(), await packages(cache));
  await unpack(archive, "package/llama/gitRelease.bundle", folder);
  const bundle = join(folder, "gitRelease.bundle");
  // `git clone` wants a folder of its own; fetching into this one keeps the bundle's place.
  const git = (...argv: string[]) => capture(["git", ...argv], { cwd: folder });
  await git("init", "--quiet");
  await git("-c", "core.autocrlf=false", "fetch", "--quiet", bundle, "HEAD");
  await git("-c", "core.autocrlf=false", "checkout", "--quiet", "FETCH_HEAD");
  await rm(bundle);
  for (const patch of from.patches()) await git("apply", join(from.NATIVE, patch));
}

async function packages(cache: string): Promise<string> {
  const folder = join(cache, "packages");
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Puts a copy of the finished build in the checkout; a running program keeps the files it has. */
async function publish(result: string, folder: string): Promise<void> {
  const fresh = `${folder}.${process.pid}.tmp`;
  await rm(fresh, { recursive: true, force: true });
  await cp(result, fresh, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await moveInto(fresh, folder);
}

/** Renames a folder; if another process was faster, its folder stays, since both are the same. */
async function moveInto(fresh: string, folder: string): Promise<void> {
  try {
    await rename(fresh, folder);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw cause;
  }
}

function say(text: string): void {
  process.stderr.write(`llmlb: ${text}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      "from-source": { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
    },
  });
  const target = targetOf(values.target);
  const { folder, fresh } = await buildNative(target, { fromSource: values["from-source"] });
  if (!fresh && !values.quiet) say(`the native library is up to date: ${folder}`);
  if (hostWantsPlugins(target)) await buildPlugins(target);
}

if (import.meta.main) {
  await main().catch((cause) => {
    say(errorMessage(cause));
    process.exit(1);
  });
}
