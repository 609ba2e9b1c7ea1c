import { existsSync, readFileSync } from "node:fs";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Logger } from "../../lib/log.ts";
import type { Device } from "../../wire/system.ts";
import { queryEngine } from "../query.ts";
import { loaderAdvice, noDeviceAdvice } from "./advice.ts";
import { type PluginName, pluginFile, pluginFolder, pluginPin } from "./pin.ts";

/** What came of trying a backend on this host: its devices, or why it cannot be used. */
export type PluginTrial = { devices: Device[] } | { problem: string };

export interface TrialOptions {
  /** The folder of llmlb's own libraries. */
  own: string;
  /** The data folder. */
  home: string;
  log: Logger;
}

/** What ggml calls the devices of a backend, without their number. */
const DEVICE_NAMES: Record<PluginName, RegExp> = { cuda: /^CUDA\d/, vulkan: /^Vulkan\d/ };

/** Tries an installed backend, in processes of their own: a driver may end them. */
export async function tryPlugin(name: PluginName, options: TrialOptions): Promise<PluginTrial> {
  const { own, home, log } = options;
  try {
    const file = pluginFile(home, name) ?? "";
    const [reason] = await problemsOf([file], options);
    if (reason !== undefined) return { problem: reason };
    const directories = [own, pluginFolder(home, name)];
    const { devices } = await queryEngine({ type: "probe", directories }, "devices", log);
    const found = devices.filter((device) => DEVICE_NAMES[name].test(device.name));
    return found.length > 0
      ? { devices: found }
      : { problem: noDeviceAdvice(name, nvidiaDriver()) };
  } catch (cause) {
    return { problem: errorMessage(cause) };
  }
}

/** What this host lacks for a backend, whether it is installed or not. */
export async function missingFor(name: PluginName, options: TrialOptions): Promise<string[]> {
  const needs = pluginPin(name)?.needs ?? [];
  return [...new Set(await problemsOf(needs, options))];
}

/** Why libraries cannot be opened. Those of the system are found by their names alone. */
async function problemsOf(files: string[], { own, log }: TrialOptions): Promise<string[]> {
  const command = { type: "inspect", directory: own, files } as const;
  const { libraries } = await queryEngine(command, "libraries", log);
  return libraries.flatMap(({ file, reason }) => {
    const isThere = reason === undefined || (!file.includes("/") && reason === NO_BACKEND);
    return isThere ? [] : [loaderAdvice(reason)];
  });
}

/** What native/backends.cpp says of a library that could be opened. */
const NO_BACKEND = "it is no ggml backend";

/** The version of NVIDIA's driver in the kernel; undefined if there is none. */
function nvidiaDriver(): string | undefined {
  const file = "/proc/driver/nvidia/version";
  if (!existsSync(file)) return undefined;
  return /Kernel Module.*?\s(\d+\.[\d.]+)\s/.exec(readFileSync(file, "utf8"))?.[1];
}
