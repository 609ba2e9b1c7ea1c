import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "../wire/system.ts";
import type { DeviceProbeOptions } from "./deviceprobe.ts";
import { libraryDirectories } from "./library.ts";
import { madeChoice, type SkippedBackend } from "./plugin/choice.ts";
import { queryEngine } from "./query.ts";

/** A native library's file, and whether this host can load it. */
export interface LibraryStatus {
  file: string;
  kind: "core" | "backend";
  loaded: boolean;
  /** Why it cannot be loaded. */
  reason?: string | undefined;
}

/** The native libraries, and the compute devices that they find. */
export interface LibraryReport {
  /** The folders that were searched. The first one has libllmlb. */
  directories: string[];
  /** llama.cpp's version and compiler, as it prints them. */
  llamaCpp: string;
  libraries: LibraryStatus[];
  devices: Device[];
  /** Backends for GPUs that are not used. */
  skipped: SkippedBackend[];
}

/** Tries to load each native library and lists the devices, for `llmlb doctor`. */
export async function inspectLibraries({ home, log }: DeviceProbeOptions): Promise<LibraryReport> {
  const directories = await libraryDirectories(home, log);
  const [own = ""] = directories; // has libllmlb
  const libraries: LibraryStatus[] = [];
  for (const folder of directories) {
    const names = readdirSync(folder).filter((name) => /\.(so|dylib|dll)$/.test(name));
    const backends = names.filter(isBackend).map((name) => join(folder, name));
    for (const name of names) {
      if (!isBackend(name))
        libraries.push({ file: join(folder, name), kind: "core", loaded: true });
    }
    const command = { type: "inspect", directory: own, files: backends } as const;
    const answer = await queryEngine(command, "libraries", log);
    for (const library of answer.libraries) {
      libraries.push({ ...library, kind: "backend", loaded: library.reason === undefined });
    }
  }
  const answer = await queryEngine({ type: "probe", directories }, "devices", log);
  const { skipped = [] } = madeChoice(home) ?? {};
  return { directories, libraries, llamaCpp: answer.llama_cpp, devices: answer.devices, skipped };
}

/** Whether a file is one of ggml's backends, `ggml-<name>`; `ggml` and `ggml-base` are its core. */
function isBackend(name: string): boolean {
  return /^(lib)?ggml-(?!base)/.test(name);
}
