import { existsSync } from "node:fs";
import { PLUGIN_NAMES, type PluginName, pluginFile, pluginFolder } from "./pin.ts";
import { type TrialOptions, tryPlugin } from "./trial.ts";

/** Choices of this process, by what was installed when they were made. */
const chosen = new Map<string, Promise<string | undefined>>();

/**
 * The folder of the installed backend that engines are to load: the first one that this host can
 * use, in the order CUDA, Vulkan; two of them would see the same GPU twice. Undefined: none, the
 * processor computes. Each one that is passed over is logged with the reason. Tried once.
 */
export function chosenPlugin(options: TrialOptions): Promise<string | undefined> {
  const { home } = options;
  const installed = installedPlugins(home);
  if (installed.length === 0) return Promise.resolve(undefined);
  const key = [home, ...installed].join("\n");
  const known = chosen.get(key);
  if (known !== undefined) return known;
  const choice = choose(installed, options);
  chosen.set(key, choice);
  return choice;
}

/** The backends that are installed for the llama.cpp inside, the best one first. */
export function installedPlugins(home: string): PluginName[] {
  return PLUGIN_NAMES.filter((name) => {
    const file = pluginFile(home, name);
    return file !== undefined && existsSync(file);
  });
}

async function choose(names: PluginName[], options: TrialOptions): Promise<string | undefined> {
  const { home, log } = options;
  for (const name of names) {
    const trial = await tryPlugin(name, options);
    if ("problem" in trial) {
      log.warn({ backend: name, reason: trial.problem }, "backend.skipped");
      continue;
    }
    const devices = trial.devices.map(
      ({ name: device, description }) => `${device} ${description}`,
    );
    log.info({ backend: name, devices }, "backend.chosen");
    return pluginFolder(home, name);
  }
  log.warn({ installed: names }, "backend.none_usable");
  return undefined;
}
