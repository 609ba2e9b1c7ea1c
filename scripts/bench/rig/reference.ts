import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { cmake } from "../../native/compile.ts";
import { cacheFolder, librariesPin, NATIVE } from "../../native/sources.ts";
import { targetOf } from "../../native/target.ts";
import { fetchSources, lockWork, workFolder } from "../../native.ts";

/**
 * Builds llama.cpp's own HTTP server from the very sources, libraries and object files of the
 * native library; returns its path. Only what is missing is made.
 */
export async function buildLlamaServer(): Promise<string> {
  const { base, work, path } = placeOf();
  const { target } = base;
  await using _lock = await lockWork(work);
  const log = join(work, "llama-server.log");
  const { source, libraries } = await fetchSources(base, log);
  const build = join(work, "build");
  const name = `llama-server${target.suffix}`;
  await cmake({
    label: "building llama-server",
    target,
    source: NATIVE,
    build,
    defines: {
      LLAMA_SOURCE_DIR: source,
      LLAMA_LIBRARY_DIR: libraries,
      CMAKE_BUILD_TYPE: "Release",
      LLMLB_LLAMA_SERVER: "ON",
    },
    log,
    only: "llama-server",
  });
  // It looks for the compute backends beside itself.
  await copyFile(join(build, name), path);
  return path;
}

/** The same as it was built before; undefined: it was not. */
export function builtLlamaServer(): string | undefined {
  const { path } = placeOf();
  return existsSync(path) ? path : undefined;
}

function placeOf() {
  const target = targetOf(undefined);
  const base = { target, fromSource: librariesPin(target) === undefined, cache: cacheFolder() };
  const work = workFolder(base);
  return { base, work, path: join(work, "libraries", `llama-server${target.suffix}`) };
}

if (import.meta.main) process.stdout.write(`${await buildLlamaServer()}\n`);
