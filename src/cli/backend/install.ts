import { ownDirectory } from "../../engine/library.ts";
import { installedPlugins } from "../../engine/plugin/choice.ts";
import { seenGpus } from "../../engine/plugin/gpus.ts";
import { installPlugin, removePlugin } from "../../engine/plugin/install.ts";
import { type PluginName, pluginPin } from "../../engine/plugin/pin.ts";
import { missingFor } from "../../engine/plugin/trial.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { createLogger } from "../../lib/log.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { printLine, printNote } from "../terminal/output.ts";
import { fetchedPackage, libraryInFile, type PluginSource } from "./source.ts";

export interface InstallFlags {
  name: PluginName | "auto";
  home: string;
  /** A file instead of the registry. */
  from: string | undefined;
}

/** Installs a backend; `auto` takes the first one that this host can use. Throws `CliError`. */
export async function installBackend({ name, home, from }: InstallFlags): Promise<ExitCode> {
  if (name !== "auto") return await installOne(name, home, from);
  if (from !== undefined) {
    throw new CliError("--from needs the backend's name: cuda or vulkan.", EXIT.usage);
  }
  const vendors = seenGpus().map(({ vendor }) => vendor);
  if (vendors.length === 0) {
    throw new CliError(
      "No GPU of NVIDIA, AMD or Intel is on this machine's PCI bus. To try anyway, name a backend: \
llmlb backend install vulkan",
    );
  }
  if (vendors.includes("NVIDIA")) {
    try {
      return await installOne("cuda", home, undefined);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      printNote(`${error.message}\nTrying vulkan instead.`);
    }
  }
  return await installOne("vulkan", home, undefined);
}

/** Removes an installed backend. Throws `CliError` if it is not there. */
export async function removeBackend(name: PluginName, home: string): Promise<ExitCode> {
  if (!installedPlugins(home).includes(name)) {
    throw new CliError(`The backend ${name} is not installed in ${home}.`);
  }
  await removePlugin(home, name);
  printLine(`Removed the backend ${name}.`);
  return EXIT.ok;
}

async function installOne(
  name: PluginName,
  home: string,
  from: string | undefined,
): Promise<ExitCode> {
  const failed = (why: string, cause?: unknown) =>
    new CliError(`Installing the backend ${name} failed: ${why}.`, EXIT.error, cause);
  const pin = pluginPin(name);
  if (pin === undefined) throw failed(`there is none for ${process.platform}-${process.arch}`);
  const options = { own: await ownDirectory(home), home, log: createLogger({ level: "silent" }) };
  // Before hundreds of megabytes are fetched in vain.
  const missing = await missingFor(name, options);
  if (missing.length > 0) throw failed(missing.join("; "));
  let source: PluginSource | undefined;
  try {
    source = from === undefined ? await fetchedPackage(pin) : await libraryInFile(pin, from);
    const trial = await installPlugin({ ...options, name, pin, library: source.library });
    if ("problem" in trial) throw failed(`${trial.problem}. It was removed again`);
    const devices = trial.devices.map((one) => `${one.name} (${one.description})`).join(", ");
    printLine(`Installed the backend ${name}: ${devices}. Models use it from their next load on.`);
    return EXIT.ok;
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw failed(errorMessage(cause), cause);
  } finally {
    await source?.dispose?.();
  }
}
