import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../lib/log.ts";
import type { Device } from "../wire/system.ts";
import { libraryDirectories } from "./library.ts";
import { ask, type ProbeOptions } from "./probe.ts";

/** One native library file and whether it can be used on this host. */
export interface LibraryFinding {
  file: string;
  kind: "core" | "backend";
  loaded: boolean;
  /** Why it was skipped. */
  reason?: string;
}

export interface LibraryReport {
  /** Folders searched, the first of which holds libllmlb. */
  directories: string[];
  /** llama.cpp's own build text. */
  llamaCpp: string;
  libraries: LibraryFinding[];
  devices: Device[];
}

/** Tries every native library on its own and tells what came of it. For `llmlb doctor`. */
export async function inspectLibraries({ home, log }: ProbeOptions): Promise<LibraryReport> {
  const directories = await libraryDirectories(home);
  const libraries: LibraryFinding[] = [];
  for (const directory of directories) {
    const files = readdirSync(directory).filter((file) => /\.(so|dylib|dll)$/.test(file));
    const backends = files.filter(isBackend).map((file) => join(directory, file));
    for (const file of files) {
      if (!isBackend(file)) {
        libraries.push({ file: join(directory, file), kind: "core", loaded: true });
      }
    }
    libraries.push(...(await inspectBackends(directories[0] ?? directory, backends, log)));
  }
  const found = await ask({ type: "probe", directories }, log);
  return {
    directories,
    libraries,
    llamaCpp: found.type === "devices" ? found.llama_cpp : "",
    devices: found.type === "devices" ? found.devices : [],
  };
}

async function inspectBackends(
  directory: string,
  files: string[],
  log: Logger,
): Promise<LibraryFinding[]> {
  const answer = await ask({ type: "inspect", directory, files }, log);
  if (answer.type !== "libraries") return [];
  return answer.libraries.map(({ file, reason }) => ({
    file,
    kind: "backend",
    loaded: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
  }));
}

/** ggml's backends are `ggml-<name>`; `ggml-base` and `ggml` itself are what they stand on. */
function isBackend(file: string): boolean {
  return /^(lib)?ggml-(?!base)/.test(file);
}
