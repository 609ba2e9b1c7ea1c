import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import sources from "../../native/sources.json" with { type: "json" };
import type { Pin } from "./package.ts";
import type { Target } from "./target.ts";

export const ROOT = join(import.meta.dir, "../..");
export const NATIVE = join(ROOT, "native");

/** The package with the source of llama.cpp, as a git bundle. */
export function sourcePin(): Pin {
  const pin = pinOf("node-llama-cpp");
  if (pin === undefined) throw new Error("native/sources.json: node-llama-cpp has no pin.");
  return pin;
}

/** The package with prebuilt llama.cpp libraries; undefined where they are built from source. */
export function librariesPin(target: Target): Pin | undefined {
  return pinOf(`@node-llama-cpp/${target.prebuilt}`);
}

function pinOf(name: string): Pin | undefined {
  const integrity = (sources.packages as Record<string, string>)[name];
  if (integrity === undefined) return undefined;
  return { name, version: sources.node_llama_cpp, integrity };
}

/** Names a build: everything that goes into the libraries, except the compiler. */
export function buildHash(target: Target, fromSource: boolean): string {
  const pattern = new Bun.Glob("**/{CMakeLists.txt,*.cpp,*.h,*.in}");
  const code = [...pattern.scanSync({ cwd: NATIVE })].map((name) => name.replaceAll("\\", "/"));
  const files = code.filter((name) => !name.startsWith("build/")).sort();
  return hashOf([target.name, String(fromSource)], [...files, ...patches(), ...shared()]);
}

/** Names what a build starts from; builds with the same name can share object files. */
export function baseHash(target: Target, fromSource: boolean): string {
  return hashOf([ROOT, target.name, String(fromSource)], [...patches(), ...shared()]);
}

/** Patches to the source of llama.cpp, in the order in which they apply. */
export function patches(): string[] {
  return namesIn("patches", /\.patch$/);
}

function shared(): string[] {
  return ["sources.json", ...namesIn("toolchains", /\.cmake$/)];
}

function namesIn(folder: string, pattern: RegExp): string[] {
  const place = join(NATIVE, folder);
  const names = existsSync(place) ? readdirSync(place).filter((name) => pattern.test(name)) : [];
  return names.sort().map((name) => `${folder}/${name}`);
}

function hashOf(words: string[], files: string[]): string {
  const hash = createHash("sha256").update(words.join("\n"));
  for (const name of files) hash.update(`\n${name}\n`).update(readFileSync(join(NATIVE, name)));
  return hash.digest("hex").slice(0, 16);
}

/** Where downloads and builds are kept: `LLMLB_CACHE`, else the platform's own place for that. */
export function cacheFolder(): string {
  const { LLMLB_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (LLMLB_CACHE) return LLMLB_CACHE;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "llmlb");
  if (process.platform === "win32" && LOCALAPPDATA) return join(LOCALAPPDATA, "llmlb", "cache");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "llmlb");
  return join(homedir(), ".cache", "llmlb");
}
