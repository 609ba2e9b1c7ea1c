import { existsSync, readdirSync } from "node:fs";
import { environment } from "../../config/environment.ts";
import { embeddedPlugins } from "../embedded.ts";
import { candidateFor, type HostFacts, type PluginFacts } from "./candidate.ts";
import { embeddedPlugin, isSwitchedOff } from "./embedding.ts";
import { hasGpuDriver, seenGpus } from "./gpus.ts";
import {
  PLUGIN_NAMES,
  type PluginName,
  pluginFile,
  pluginFolder,
  userPluginFolder,
} from "./pin.ts";
import { type TrialOptions, tryPlugin } from "./trial.ts";

/** Which backend for GPUs engines load. */
export interface BackendChoice {
  /** Undefined: none, the processor computes, or what is built in (Metal). */
  backend: PluginName | undefined;
  /** Its folder. */
  folder: string | undefined;
  /** Those that come before it and are not used. */
  skipped: SkippedBackend[];
}

/** A backend that is not used, and why. */
export interface SkippedBackend {
  backend: PluginName;
  reason: string;
}

export interface ChoiceOptions extends TrialOptions {
  /** Default: what this machine shows. */
  host?: HostFacts;
}

/** Choices of this process, by what was there when they were made. */
const choices = new Map<string, Promise<BackendChoice>>();
/** The last of them that has come to its end, by its data folder. */
const settled = new Map<string, BackendChoice>();

/**
 * The backend that engines are to load: the first one that this host can use, in the order CUDA,
 * Vulkan; two of them would see the same GPU twice. Each one that is passed over is logged with the
 * reason. Tried once.
 */
export function chooseBackend(options: ChoiceOptions): Promise<BackendChoice> {
  const { home, embedded = embeddedPlugins(), host = hostFacts() } = options;
  const isReplaced = hasOwnPlugin(home);
  const plugins = PLUGIN_NAMES.map((name) => {
    const isEmbedded = embeddedPlugin(name, embedded) !== undefined;
    const isOff = isSwitchedOff(home, name);
    const isHere = !isEmbedded && isInstalled(home, name);
    return { name, isEmbedded, isOff, isInstalled: isHere, isReplaced };
  });
  const key = JSON.stringify([home, plugins, host]);
  const known = choices.get(key);
  if (known !== undefined) return known;
  const choice = choose(plugins, { ...options, host });
  choices.set(key, choice);
  return choice.then((made) => {
    settled.set(home, made);
    return made;
  });
}

/** The choice for a data folder that this process has made; undefined while there is none. */
export function madeChoice(home: string): BackendChoice | undefined {
  return settled.get(home);
}

/** Whether the library of a backend lies in the data folder, for the llama.cpp inside. */
export function isInstalled(home: string, name: PluginName): boolean {
  const file = pluginFile(home, name);
  return file !== undefined && existsSync(file);
}

async function choose(
  plugins: PluginFacts[],
  options: Required<Pick<ChoiceOptions, "host">> & TrialOptions,
): Promise<BackendChoice> {
  const { home, log, host } = options;
  const skipped: SkippedBackend[] = [];
  for (const plugin of plugins) {
    const { name: backend } = plugin;
    const candidate = candidateFor(plugin, host);
    if (candidate.action === "ignore") continue;
    if (candidate.action === "skip") {
      skipped.push({ backend, reason: candidate.reason });
      log.debug({ backend, reason: candidate.reason }, "backend.skipped");
      continue;
    }
    const trial = await tryPlugin(backend, options);
    if ("problem" in trial) {
      skipped.push({ backend, reason: trial.problem });
      log[candidate.level]({ backend, reason: trial.problem }, "backend.skipped");
      continue;
    }
    const devices = trial.devices.map(({ name, description }) => `${name} ${description}`);
    log.info({ backend, devices }, "backend.chosen");
    return { backend, folder: pluginFolder(home, backend), skipped };
  }
  log.debug({ skipped: skipped.length }, "backend.none");
  return { backend: undefined, folder: undefined, skipped };
}

/** Whether the user has added a backend for GPUs of his own. */
function hasOwnPlugin(home: string): boolean {
  const folder = userPluginFolder(home);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.some((name) => /ggml-(?!base|cpu|rpc|blas)\w+\.(?:so|dylib|dll)$/.test(name));
}

function hostFacts(): HostFacts {
  return {
    vendors: seenGpus().map(({ vendor }) => vendor),
    hasDriver: hasGpuDriver(),
    isNamed: (environment().GGML_VK_VISIBLE_DEVICES ?? "") !== "",
  };
}
