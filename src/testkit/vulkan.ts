import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { embeddedPlugins } from "../engine/embedded.ts";

const ICD_FOLDERS = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
const ADVICE = "install mesa-vulkan-drivers and libvulkan1, and run `npm run native`";

/**
 * The environment in which Mesa's driver in software is the only one for Vulkan, and is used though
 * it is no GPU. Undefined where it, or the backend, is not there (the latter is for Linux x64
 * alone); throws there if `NEEDS_VULKAN` is set, as where nothing may be left out.
 */
export function softwareVulkan(): Record<string, string> | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const driver = ICD_FOLDERS.flatMap((folder) => {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.filter((name) => name.startsWith("lvp_icd.")).map((name) => join(folder, name));
  }).find(() => true);
  const hasBackend = embeddedPlugins().length > 0 || (process.env.LLMLB_BIN ?? "") !== "";
  if (driver !== undefined && hasBackend) {
    return { VK_ICD_FILENAMES: driver, GGML_VK_VISIBLE_DEVICES: "0" };
  }
  if ((process.env.NEEDS_VULKAN ?? "") === "") return undefined;
  throw new Error(`Looking for a driver for Vulkan in software: there is none; ${ADVICE}.`);
}
