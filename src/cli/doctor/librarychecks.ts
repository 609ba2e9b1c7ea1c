import { basename, dirname } from "node:path";
import { formatBytes } from "../../config/units.ts";
import { inspectLibraries, type LibraryStatus } from "../../engine/libraryreport.ts";
import type { SkippedBackend } from "../../engine/plugin/choice.ts";
import { gpuText, hasGpuDriver, type SeenGpu, seenGpus } from "../../engine/plugin/gpus.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { createLogger } from "../../lib/log.ts";
import type { Device } from "../../wire/system.ts";
import type { Finding } from "./finding.ts";

/** Checks that llama.cpp's libraries load and find a device. */
export async function checkLibraries(home: string): Promise<Finding[]> {
  try {
    const log = createLogger({ level: "silent" });
    const {
      directories,
      llamaCpp,
      libraries,
      devices,
      skipped: passedOver,
    } = await inspectLibraries({ home, log });
    const skipped = libraries.filter(({ loaded }) => !loaded);
    const broken = brokenLibraries(libraries, {
      hasGpu: hasGpuDriver(),
      plugins: directories.slice(1),
    });
    const count = libraries.length - skipped.length;
    return [
      {
        subject: "Libraries",
        state: broken.length > 0 ? "problem" : "ok",
        text:
          broken.length > 0
            ? `${broken.map(({ file }) => basename(file)).join(", ")} cannot be loaded, see below`
            : `${count} usable (llama.cpp ${llamaCpp}) in ${directories.join(", ")}`,
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
      ...checkGpus(seenGpus(), devices, passedOver),
    ];
  } catch (cause) {
    const text = `looking at them failed: ${errorMessage(cause)}`;
    return [{ subject: "Libraries", state: "problem", text }];
  }
}

/**
 * A finding for GPUs that nothing computes on, with the reason why each backend is not used; none
 * where there is no GPU, or one is used.
 */
export function checkGpus(
  seen: SeenGpu[],
  devices: Device[],
  skipped: SkippedBackend[],
): Finding[] {
  const isUsed = devices.some(({ type }) => type === "gpu" || type === "igpu");
  if (seen.length === 0 || isUsed) return [];
  const text = `${seen.map(gpuText).join(", ")}: here, but not used. See llmlb backend list, \
llmlb backend install auto`;
  const details = skipped.map(({ backend, reason }) => `${backend}: ${reason}`);
  return [{ subject: "GPUs", state: "problem", text, details }];
}

/** A backend that only suits some processors; the one that suits best is taken. */
const CPU_BACKEND = /ggml-cpu(?:-[\w]+)?\.\w+$/;

/**
 * The libraries that should load and do not: those of llama.cpp itself, those that a user has put
 * into the folder of plugins, and where there is a GPU, those for GPUs.
 */
export function brokenLibraries(
  libraries: LibraryStatus[],
  { hasGpu, plugins }: { hasGpu: boolean; plugins: string[] },
): LibraryStatus[] {
  return libraries.filter(({ file, kind, loaded }) => {
    if (loaded) return false;
    if (kind === "core") return true;
    return plugins.includes(dirname(file)) || (hasGpu && !CPU_BACKEND.test(file));
  });
}
