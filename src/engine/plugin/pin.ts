import { basename, join } from "node:path";
import pins from "../../../native/plugins.json" with { type: "json" };
import { LLAMA_CPP_VERSION } from "../../config/version.ts";

/** Backends for GPUs that can be installed, the best one first. */
export const PLUGIN_NAMES = ["cuda", "vulkan"] as const;
export type PluginName = (typeof PLUGIN_NAMES)[number];

/** The one library that a backend is, and the package that it comes in. */
export interface PluginPin {
  package: string;
  version: string;
  /** The package as the registry has it; `integrity` as it writes it. */
  archive: { integrity: string; sha256: string; size_bytes: number };
  /** Its path in the package. */
  library: string;
  /** SHA-512 of the library, in hexadecimal digits. */
  sha512: string;
  /** Libraries that the host must have. */
  needs: string[];
}

/** The backend made for the llama.cpp inside; undefined: there is none for this platform. */
export function pluginPin(
  name: PluginName,
  platform = `${process.platform}-${process.arch}`,
): PluginPin | undefined {
  const { version, ...platforms } = pins;
  const known: Partial<Record<string, Record<PluginName, Omit<PluginPin, "version">>>> = platforms;
  const pin = known[platform]?.[name];
  return pin && { ...pin, version };
}

/** Where an installed backend lies: a folder of its own, by the version of llama.cpp. */
export function pluginFolder(home: string, name: PluginName): string {
  return join(home, "native", LLAMA_CPP_VERSION, name);
}

/** The folder for further backends that users add, such as those that they built themselves. */
export function userPluginFolder(home: string): string {
  return join(home, "native", "plugins");
}

/** The file of an installed backend; undefined: there is none for this platform. */
export function pluginFile(home: string, name: PluginName): string | undefined {
  const pin = pluginPin(name);
  return pin && join(pluginFolder(home, name), basename(pin.library));
}
