import type { PluginName } from "./pin.ts";

/** What is known of a backend for GPUs before it is tried. */
export interface PluginFacts {
  name: PluginName;
  /** llmlb brings it along. */
  isEmbedded: boolean;
  /** It was removed by hand, though llmlb brings it along. */
  isOff: boolean;
  /** It was put into the data folder, and llmlb does not bring it along. */
  isInstalled: boolean;
  /** The user has put a backend for GPUs of his own beside it. */
  isReplaced: boolean;
}

/** What is known of this host without any driver's help. */
export interface HostFacts {
  /** Makers of the GPUs on the PCI bus. */
  vendors: string[];
  /** Whether there is a driver for GPUs; see `hasGpuDriver`. */
  hasDriver: boolean;
  /** Somebody has named Vulkan's devices (`GGML_VK_VISIBLE_DEVICES`), drivers in software too. */
  isNamed: boolean;
}

/** What to do with a backend, and how loud it is said that it is not used. */
export type PluginCandidate =
  | { action: "try"; level: "warn" | "debug" }
  | { action: "skip"; reason: string }
  | { action: "ignore" };

/**
 * Whether a backend is worth a trial. The first row that fits:
 *
 * | the backend                      | the host                   | then                          |
 * |----------------------------------|----------------------------|-------------------------------|
 * | comes with llmlb, was removed    | any                        | skip it                       |
 * | comes with llmlb, is replaced    | any                        | skip it: one for each GPU     |
 * | CUDA, comes with llmlb           | has GPUs, none of NVIDIA   | skip it                       |
 * | comes with llmlb                 | has GPUs, or names devices | try; a failure is a warning   |
 * | comes with llmlb                 | has only a driver          | try; a failure is no warning  |
 * | comes with llmlb                 | has none of these          | skip it                       |
 * | is installed                     | any                        | try; a failure is a warning   |
 * | CUDA, is not installed           | has a GPU of NVIDIA        | skip it: it can be installed  |
 * | is not installed                 | any                        | ignore it                     |
 */
export function candidateFor(plugin: PluginFacts, host: HostFacts): PluginCandidate {
  const { name, isEmbedded, isOff, isInstalled, isReplaced } = plugin;
  const isForNvidia = name === "cuda";
  const hasNvidia = host.vendors.includes("NVIDIA");
  const isExpected = isForNvidia ? hasNvidia : host.vendors.length > 0 || host.isNamed;
  if (isEmbedded && isOff) {
    return skip(`it was removed by hand: llmlb backend install ${name} takes that back`);
  }
  if (isEmbedded && isReplaced) {
    return skip("a backend of your own is in the folder native/plugins, which is used instead");
  }
  if (isEmbedded && isForNvidia && !hasNvidia && host.vendors.length > 0) {
    return skip("this host shows no GPU of NVIDIA");
  }
  if (isEmbedded && isExpected) return { action: "try", level: "warn" };
  if (isEmbedded && host.hasDriver) return { action: "try", level: "debug" };
  if (isEmbedded) return skip("this host shows no GPU");
  if (isInstalled) return { action: "try", level: "warn" };
  if (isForNvidia && hasNvidia) {
    return skip("it is not installed: llmlb backend install cuda");
  }
  return { action: "ignore" };
}

function skip(reason: string): PluginCandidate {
  return { action: "skip", reason };
}
