import { errorMessage } from "../../lib/errormessage.ts";
import type { ExtractFile } from "../../lib/extract.ts";
import type { Logger } from "../../lib/log.ts";
import type { Device } from "../../wire/system.ts";
import { queryEngine } from "../query.ts";
import { loaderAdvice, noDeviceAdvice } from "./advice.ts";
import { embeddedPlugin, unpackPlugin } from "./embedding.ts";
import { nvidiaDriver } from "./gpus.ts";
import { type PluginName, pluginFile, pluginFolder, pluginPin } from "./pin.ts";

/** What came of trying a backend on this host: its devices, or why it cannot be used. */
export type PluginTrial = { devices: Device[] } | { problem: string };

export interface TrialOptions {
  /** The folder of llmlb's own libraries. */
  own: string;
  /** The data folder. */
  home: string;
  log: Logger;
  /** The backends that llmlb brings along. Default: those of this executable. */
  embedded?: ExtractFile[];
}

/** What ggml calls the devices of a backend, without their number. */
const DEVICE_NAMES: Record<PluginName, RegExp> = { cuda: /^CUDA\d/, vulkan: /^Vulkan\d/ };

/**
 * Tries a backend that is installed or comes with llmlb, in processes of their own: a driver may
 * end them. One that comes with llmlb is unpacked if this host has what it needs.
 */
export async function tryPlugin(name: PluginName, options: TrialOptions): Promise<PluginTrial> {
  const { own, home, log, embedded } = options;
  try {
    const file = embeddedPlugin(name, embedded);
    if (file !== undefined) {
      const [missing] = await missingFor(name, options);
      if (missing !== undefined) return { problem: missing };
      await unpackPlugin(home, name, file);
    }
    const directories = [own, pluginFolder(home, name)];
    const { devices } = await queryEngine({ type: "probe", directories }, "devices", log);
    const found = devices.filter((device) => DEVICE_NAMES[name].test(device.name));
    if (found.length > 0) return { devices: found };
    const [reason] = await problemsOf([pluginFile(home, name) ?? ""], options);
    if (reason === undefined) return { problem: noDeviceAdvice(name, nvidiaDriver()) };
    // The loader names the first library that is missing, not all of them.
    const missing = await missingFor(name, options);
    return { problem: missing.includes(reason) ? missing.join("; ") : reason };
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
