import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { LLAMA_CPP_VERSION } from "../../config/version.ts";
import { syncFile } from "../../lib/syncfile.ts";
import { type PluginName, type PluginPin, pluginFile, pluginFolder } from "./pin.ts";
import { type PluginTrial, type TrialOptions, tryPlugin } from "./trial.ts";

export interface InstallOptions extends TrialOptions {
  name: PluginName;
  pin: PluginPin;
  /** The library's bytes, of whatever origin. */
  library: Blob;
  /** It stays there although it cannot be used here now. Default: false. */
  keep?: boolean;
}

/**
 * Puts a backend's library into its folder and tries it there. One that cannot be used is removed
 * again, unless it is to be kept. Throws if it is not the library that this llmlb was made for.
 */
export async function installPlugin(options: InstallOptions): Promise<PluginTrial> {
  const { name, pin, library, home, keep = false } = options;
  const file = pluginFile(home, name) ?? "";
  await mkdir(dirname(file), { recursive: true });
  const own = `${file}.tmp-${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  try {
    await Bun.write(own, library);
    await syncFile(own);
    if ((await sha512Of(own)) !== pin.sha512) {
      throw new Error(`it is not the library that belongs to llama.cpp ${LLAMA_CPP_VERSION} \
(${pin.package} ${pin.version}): its SHA-512 is another one`);
    }
    await rename(own, file);
  } finally {
    await rm(own, { force: true });
  }
  const trial = await tryPlugin(name, options);
  if ("problem" in trial && !keep) await removePlugin(home, name);
  return trial;
}

/** Removes an installed backend; engines that run keep theirs until they end. */
export function removePlugin(home: string, name: PluginName): Promise<void> {
  return rm(pluginFolder(home, name), { recursive: true, force: true });
}

async function sha512Of(file: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha512");
  for await (const chunk of Bun.file(file).stream()) hash.update(chunk);
  return hash.digest("hex");
}
