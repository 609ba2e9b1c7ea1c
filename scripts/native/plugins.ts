import { createReadStream, existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { seenGpus } from "../../src/engine/plugin/gpus.ts";
import { type PluginName, type PluginPin, pluginPin } from "../../src/engine/plugin/pin.ts";
import { fetchPackage, unpack } from "./package.ts";
import { cacheFolder, NATIVE } from "./sources.ts";
import { hostTarget, type Target } from "./target.ts";

/** The backend that needs no installation: it works with the drivers of all makers. */
const EVERYWHERE = "vulkan";

/**
 * Makes `native/build/plugins/<platform>/` hold the backend for GPUs that comes with llmlb, and
 * folders beside it those that some executables have besides; verifies them and returns the files.
 * Left out are those that there are not for this target.
 */
export async function buildPlugins(
  target: Target,
  names: readonly PluginName[] = [EVERYWHERE],
): Promise<string[]> {
  const files = await Promise.all(names.map((name) => buildPlugin(target, name)));
  return files.filter((file) => file !== undefined);
}

async function buildPlugin(target: Target, name: PluginName): Promise<string | undefined> {
  const platform = `${target.platform}-${target.arch}`;
  const pin = pluginPin(name, platform);
  if (pin === undefined) return undefined;
  // What runs from source takes all that lies in the first of these folders.
  const suffix = name === EVERYWHERE ? "" : `-${name}`;
  const folder = join(NATIVE, "build", "plugins", platform + suffix);
  const file = join(folder, basename(pin.library));
  if (existsSync(file) && (await sha512Of(file)) === pin.sha512) return file;
  const own = `${folder}.${process.pid}.tmp`;
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { recursive: true });
  try {
    const library = await unpackLibrary(pin, own);
    await mkdir(folder, { recursive: true });
    await rename(library, file);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return file;
}

/** Whether running from source needs it: there is a GPU, or the tests are told to use it. */
export function hostWantsPlugins(target: Target): boolean {
  if (target.name !== hostTarget().name) return false;
  return process.env.NEEDS_VULKAN === "1" || seenGpus().length > 0;
}

async function unpackLibrary(pin: PluginPin, into: string): Promise<string> {
  const packages = join(cacheFolder(), "packages");
  await mkdir(packages, { recursive: true });
  const { integrity } = pin.archive;
  const archive = await fetchPackage(
    { name: pin.package, version: pin.version, integrity },
    packages,
  );
  await unpack(archive, `package/${dirname(pin.library)}/`, into);
  const library = join(into, basename(pin.library));
  if ((await sha512Of(library)) === pin.sha512) return library;
  throw new Error(`native/plugins.json: ${pin.library} of ${archive} has another SHA-512.`);
}

async function sha512Of(file: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha512");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
