import { ownDirectory } from "../../engine/library.ts";
import { isInstalled } from "../../engine/plugin/choice.ts";
import { embeddedPlugin, isSwitchedOff } from "../../engine/plugin/embedding.ts";
import { gpuText, seenGpus } from "../../engine/plugin/gpus.ts";
import { PLUGIN_NAMES, type PluginName, pluginPin } from "../../engine/plugin/pin.ts";
import { missingFor, type TrialOptions, tryPlugin } from "../../engine/plugin/trial.ts";
import { createLogger } from "../../lib/log.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { printJson, printLine } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

interface BackendState {
  backend: PluginName | "cpu";
  state: "built in" | "works" | "cannot be used" | "removed" | "not installed" | "not for here";
  /** Its devices, or what this host lacks. */
  notes: string[];
}

/** Prints the backends: whether they are installed and work, and what this host lacks for them. */
export async function listBackends(home: string, json: boolean): Promise<ExitCode> {
  const log = createLogger({ level: "silent" });
  const options = { own: await ownDirectory(home), home, log };
  const backends: BackendState[] = [];
  for (const name of PLUGIN_NAMES) backends.push(await stateOf(name, options));
  backends.push({ backend: "cpu", state: "built in", notes: [] });
  const gpus = seenGpus();
  if (json) return printJson({ gpus, backends });
  const rows = backends.flatMap(({ backend, state, notes: [first = "", ...others] }) => [
    [backend, state, first],
    ...others.map((note) => ["", "", note]),
  ]);
  for (const line of table([["BACKEND", "STATE", "NOTES"], ...rows])) printLine(line);
  const names = gpus.map(gpuText).join(", ");
  printLine(`\nGPUs on this machine's PCI bus: ${names || "none"}`);
  return EXIT.ok;
}

async function stateOf(name: PluginName, options: TrialOptions): Promise<BackendState> {
  if (pluginPin(name) === undefined) {
    return { backend: name, state: "not for here", notes: [] };
  }
  const isEmbedded = embeddedPlugin(name) !== undefined;
  if (isEmbedded && isSwitchedOff(options.home, name)) {
    const notes = [`llmlb backend install ${name} brings it back`];
    return { backend: name, state: "removed", notes };
  }
  if (!isEmbedded && !isInstalled(options.home, name)) {
    const notes = await missingFor(name, options);
    return { backend: name, state: "not installed", notes };
  }
  const trial = await tryPlugin(name, options);
  if ("problem" in trial) {
    return { backend: name, state: "cannot be used", notes: [trial.problem] };
  }
  const notes = trial.devices.map((one) => `${one.name}: ${one.description}`);
  return { backend: name, state: "works", notes };
}
