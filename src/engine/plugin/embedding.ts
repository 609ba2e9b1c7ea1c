import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ExtractFile, extractOnce } from "../../lib/extract.ts";
import { embeddedPlugins } from "../embedded.ts";
import { type PluginName, pluginFolder, pluginPin } from "./pin.ts";

/** The library of a backend that llmlb brings along; undefined: it has to be installed. */
export function embeddedPlugin(
  name: PluginName,
  files: ExtractFile[] = embeddedPlugins(),
): ExtractFile | undefined {
  const library = basename(pluginPin(name)?.library ?? "");
  return files.find((file) => file.name === library);
}

/** Copies a backend that llmlb brings along to where installed ones lie; see `extractOnce`. */
export function unpackPlugin(home: string, name: PluginName, file: ExtractFile): Promise<string> {
  return extractOnce({ into: pluginFolder(home, name), files: [file] });
}

/** Whether a backend was removed by hand, so that it is not used though llmlb brings it along. */
export function isSwitchedOff(home: string, name: PluginName): boolean {
  return existsSync(switchFile(home, name));
}

/** Remembers that a backend shall, or shall not, be used; later versions of llmlb go by it, too. */
export async function switchPlugin(home: string, name: PluginName, on: boolean): Promise<void> {
  const file = switchFile(home, name);
  if (on) return await rm(file, { force: true });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "");
}

function switchFile(home: string, name: PluginName): string {
  return join(home, "native", `${name}.off`);
}
