import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { platformName } from "../config/release.ts";
import { extractOnce } from "../lib/extract.ts";
import type { Logger } from "../lib/log.ts";
import { embeddedLibraries } from "./embedded.ts";
import { chooseBackend, isInstalled } from "./plugin/choice.ts";
import { PLUGIN_NAMES, userPluginFolder } from "./plugin/pin.ts";

/**
 * The folders of native libraries. The first has libllmlb: the build folder when run from source;
 * when compiled, a folder to which the executable copies its own libraries, named by their hash.
 * Behind it, where they exist, that of the backend for GPUs which works here, and that of the
 * user's plugins. Throws if the libraries were never built.
 */
export async function libraryDirectories(home: string, log: Logger): Promise<string[]> {
  const plugins = userPluginFolder(home);
  const own = await ownDirectory(home);
  const { folder } = await chooseBackend({ own, home, log });
  return [own, ...(folder ? [folder] : []), ...(existsSync(plugins) ? [plugins] : [])];
}

/** Whether libraries of the data folder are loaded: the executable's own, or the user's plugins. */
export function loadsLibrariesFrom(home: string): boolean {
  const hasBackend = PLUGIN_NAMES.some((name) => isInstalled(home, name));
  return embeddedLibraries() !== undefined || hasBackend || existsSync(userPluginFolder(home));
}

/** The folder with libllmlb. Throws if the libraries were never built. */
export async function ownDirectory(home: string): Promise<string> {
  const embedded = embeddedLibraries();
  if (embedded !== undefined) {
    return extractOnce({ into: join(home, "native", embedded.hash), files: embedded.files });
  }
  const platform = platformName(process.platform, process.arch);
  const built = fileURLToPath(new URL(`../../native/build/${platform}`, import.meta.url));
  if (existsSync(built)) return built;
  throw new Error(`The native library is not built: ${built} is missing. Run \`npm run native\`.`);
}
