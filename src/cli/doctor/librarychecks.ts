import { formatBytes } from "../../config/units.ts";
import { inspectLibraries } from "../../engine/libraryreport.ts";
import { createLogger } from "../../lib/log.ts";
import type { Finding } from "./finding.ts";

/** Checks that llama.cpp's libraries load and find a device. */
export async function checkLibraries(home: string): Promise<Finding[]> {
  try {
    const log = createLogger({ level: "silent" });
    const { directories, llamaCpp, libraries, devices } = await inspectLibraries({ home, log });
    const skipped = libraries.filter(({ loaded }) => !loaded);
    const broken = skipped.some(({ kind }) => kind === "core");
    const count = libraries.length - skipped.length;
    return [
      {
        subject: "Libraries",
        state: broken ? "problem" : "ok",
        text: `${count} usable (llama.cpp build ${llamaCpp}) in ${directories.join(", ")}`,
        details: skipped.map(({ file, reason }) => `skipped ${file}: ${reason ?? "unknown"}`),
      },
      {
        subject: "Devices",
        state: devices.length === 0 ? "problem" : "ok",
        text: devices.length === 0 ? "none was found that could run a model" : `${devices.length}`,
        details: devices.map(({ name, type, description, ...memory }) => {
          const free = formatBytes(memory.free_memory_bytes);
          const total = formatBytes(memory.total_memory_bytes);
          return `${name} (${type}): ${description}, ${free} of ${total} free`;
        }),
      },
    ];
  } catch (cause) {
    const text = `looking at them failed: ${cause instanceof Error ? cause.message : cause}`;
    return [{ subject: "Libraries", state: "problem", text }];
  }
}
