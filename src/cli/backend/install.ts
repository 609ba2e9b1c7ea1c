import { ownDirectory } from "../../engine/library.ts";
import { isInstalled } from "../../engine/plugin/choice.ts";
import { embeddedPlugin, isSwitchedOff, switchPlugin } from "../../engine/plugin/embedding.ts";
import { seenGpus } from "../../engine/plugin/gpus.ts";
import { installPlugin, removePlugin } from "../../engine/plugin/install.ts";
import { type PluginName, type PluginPin, pluginPin } from "../../engine/plugin/pin.ts";
import {
  missingFor,
  type PluginTrial,
  type TrialOptions,
  tryPlugin,
} from "../../engine/plugin/trial.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { createLogger } from "../../lib/log.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { abortOnInterrupt } from "../process/signals.ts";
import { printLine, printNote } from "../terminal/output.ts";
import { fetchedPackage, libraryInFile, type PluginSource } from "./source.ts";

export interface InstallFlags {
  name: PluginName | "auto";
  home: string;
  /** A file instead of the registry. */
  from: string | undefined;
  /** Install it although it cannot be used here now. */
  keep: boolean;
}

/** Installs a backend; `auto` takes the first one that this host can use. Throws `CliError`. */
export async function installBackend({ name, ...flags }: InstallFlags): Promise<ExitCode> {
  if (name !== "auto") return await installOne({ ...flags, name });
  if (flags.from !== undefined || flags.keep) {
    throw new CliError("--from and --keep need the backend's name: cuda or vulkan.", EXIT.usage);
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
      return await installOne({ ...flags, name: "cuda" });
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode === EXIT.interrupted) throw error;
      printNote(`${error.message}\nTrying vulkan instead.`);
    }
  }
  return await installOne({ ...flags, name: "vulkan" });
}

/** Removes a backend; one that llmlb brings along is not used any more. Throws `CliError`. */
export async function removeBackend(name: PluginName, home: string): Promise<ExitCode> {
  const isEmbedded = embeddedPlugin(name) !== undefined;
  const isThere = isEmbedded ? !isSwitchedOff(home, name) : isInstalled(home, name);
  if (!isThere) throw new CliError(`The backend ${name} is not installed in ${home}.`);
  if (isEmbedded) await switchPlugin(home, name, false);
  await removePlugin(home, name);
  const way = isEmbedded ? ` llmlb backend install ${name} brings it back, without a network.` : "";
  printLine(`Removed the backend ${name}.${way}`);
  return EXIT.ok;
}

type OneFlags = InstallFlags & { name: PluginName };

async function installOne({ name, home, from, keep }: OneFlags): Promise<ExitCode> {
  const failed = (why: string, cause?: unknown) =>
    new CliError(`Installing the backend ${name} failed: ${why}.`, EXIT.error, cause);
  const pin = pluginPin(name);
  if (pin === undefined) throw failed(`there is none for ${process.platform}-${process.arch}`);
  const options = { own: await ownDirectory(home), home, log: createLogger({ level: "silent" }) };
  try {
    // Before hundreds of megabytes are fetched in vain.
    const missing = keep ? [] : await missingFor(name, options);
    if (missing.length > 0) throw failed(missing.join("; "));
    const isEmbedded = from === undefined && embeddedPlugin(name) !== undefined;
    const trial = isEmbedded
      ? await switchOn(name, options)
      : await installFrom({ ...options, name, pin, from, keep });
    if ("devices" in trial) {
      const devices = trial.devices.map((one) => `${one.name} (${one.description})`).join(", ");
      printLine(
        `Installed the backend ${name}: ${devices}. Models use it from their next load on.`,
      );
      return EXIT.ok;
    }
    if (!keep) throw failed(`${trial.problem}${isEmbedded ? "" : ". It was removed again"}`);
    printLine(`Installed the backend ${name}, which cannot be used here now: ${trial.problem}.`);
    return EXIT.ok;
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw failed(errorMessage(cause).replace(/\.$/, ""), cause);
  }
}

/** One that llmlb brings along needs no more than not to be switched off. */
async function switchOn(name: PluginName, options: TrialOptions): Promise<PluginTrial> {
  await switchPlugin(options.home, name, true);
  return await tryPlugin(name, options);
}

interface SourceFlags extends TrialOptions {
  name: PluginName;
  pin: PluginPin;
  from: string | undefined;
  keep: boolean;
}

async function installFrom({ pin, from, ...options }: SourceFlags): Promise<PluginTrial> {
  const { home, name } = options;
  let source: PluginSource | undefined;
  const signal = abortOnInterrupt(EXIT.interrupted);
  try {
    source =
      from === undefined
        ? await fetchedPackage(pin, { home, signal })
        : await libraryInFile(pin, from);
    const trial = await installPlugin({ ...options, pin, library: source.library });
    if (!("problem" in trial)) await switchPlugin(home, name, true);
    return trial;
  } catch (error) {
    if (!signal.aborted) throw error;
    const advice = `What has come is kept; to go on: llmlb backend install ${name}`;
    throw new CliError(`Stopped. ${advice}`, EXIT.interrupted);
  } finally {
    await source?.dispose?.();
  }
}
