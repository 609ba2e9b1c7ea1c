import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { environment } from "../../config/environment.ts";
import { modelsFolder } from "../../config/fields/hub.ts";
import { logFileOf } from "../../config/fields/storage.ts";
import type { Settings } from "../../config/settings.ts";
import { modelsWithFiles } from "../../config/values/model.ts";
import { userFolder } from "../../config/values/path.ts";
import { isCompiled, programCommand } from "../../lib/childprocess.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { launchdDefinition } from "./launchd.ts";
import type { ServiceDefinition, ServicePlan, ServiceScope } from "./plan.ts";
import { readServiceArguments } from "./servicearguments.ts";
import { systemdDefinition } from "./systemd.ts";
import { STATE_FOLDER } from "./systemdunit.ts";
import { windowsDefinition } from "./windows.ts";

export interface ServiceOptions {
  name: string;
  /** Undefined: the machine's as root and on Windows, else the user's own. */
  scope: ServiceScope | undefined;
  /** The data folder, absolute; undefined: what is usual for the scope. */
  home: string | undefined;
  runAs: string | undefined;
  /** Where another system's files lie; undefined: this one is meant. */
  root: string | undefined;
  /** What llmlb is to be started with. */
  words: string[];
  /** Only where the service lies is asked, which hangs on no setting of its config.json. */
  withoutConfig: boolean;
}

/** launchd's jobs are told from others by their name; see `upgradeProblem`. */
const NAME = /^llmlb[\w-]{0,40}$/;
/** After the drain, how long engines may take to end. */
const END_MS_MAX = 20_000;
/** Beside the loading of the first model, what a start takes. */
const START_MS = 60_000;
const GPU_GROUPS = ["video", "render"];

/** What is to run, and how this system keeps it. Throws `CliError` and `ConfigError`. */
export function defineService(options: ServiceOptions): {
  plan: ServicePlan;
  settings: Settings;
  definition: ServiceDefinition;
} {
  const { plan, settings } = planOf(options);
  const { platform } = process;
  if (platform === "darwin") {
    const uid = process.getuid?.() ?? 0;
    return {
      plan,
      settings,
      definition: launchdDefinition(plan, { userFolder: userFolder(), uid }),
    };
  }
  if (platform === "win32") {
    const windowsFolder = environment().SystemRoot ?? "C:\\Windows";
    return { plan, settings, definition: windowsDefinition(plan, windowsFolder) };
  }
  const configFolder = environment().XDG_CONFIG_HOME || join(userFolder(), ".config");
  const definition = systemdDefinition(plan, { root: options.root, configFolder });
  return { plan, settings, definition };
}

function planOf({ name, root, runAs, words: given, withoutConfig, ...options }: ServiceOptions) {
  const { platform } = process;
  if (!NAME.test(name)) {
    throw new CliError(`--name ${name}: it must begin with llmlb, as llmlb-gpu1.`, EXIT.usage);
  }
  const isRoot = platform === "win32" || process.getuid?.() === 0;
  const scope = options.scope ?? (isRoot || root !== undefined ? "system" : "user");
  refuseScope({ scope, isRoot, root, runAs });
  const home = options.home ?? usualHome(scope, name);
  const { words, settings } = readServiceArguments(given, { home, withoutConfig });
  // There, nobody rotates what goes to stderr.
  const quiet = platform === "linux" ? [] : ["--log-stderr", "off"];
  const [mode = "serve", ...rest] = words;
  const { port, drainTimeoutMs, loadTimeoutMs } = settings;
  const command = programCommand([mode, ...quiet, ...rest]);
  const writable = writableFolders(settings);
  const plan: ServicePlan = {
    ...{ name, scope, command, home, writable, runAs, port },
    readsHomes: [...command.filter((word) => word.startsWith("/")), ...modelPaths(settings)].some(
      (path) => /^\/(?:home|root|run\/user)\//.test(path),
    ),
    groups: root === undefined ? groupsOf() : [],
    startMs: settings.join === null ? loadTimeoutMs + START_MS : undefined,
    stopMs: drainTimeoutMs + END_MS_MAX,
  };
  return { plan, settings };
}

interface ScopeFacts {
  scope: ServiceScope;
  isRoot: boolean;
  root: string | undefined;
  runAs: string | undefined;
}

function refuseScope({ scope, isRoot, root, runAs }: ScopeFacts): void {
  const { platform } = process;
  const problem = () => {
    if (root !== undefined && (platform !== "linux" || scope === "user"))
      return "--root is for systemd's services of a machine.";
    if (scope === "user" && platform === "win32") return "Windows has no services of users.";
    if (scope === "user" && runAs !== undefined)
      return "--run-as is for services of the machine: yours runs as you.";
    if (scope === "system" && !isRoot) return "A service of the machine takes root: use sudo.";
    return undefined;
  };
  const found = problem();
  if (found !== undefined) throw new CliError(found, EXIT.usage);
}

function usualHome(scope: ServiceScope, name: string): string {
  if (process.platform === "win32") {
    return join(environment().ProgramData ?? "C:\\ProgramData", name);
  }
  if (scope === "user") return environment().LLMLB_HOME || join(userFolder(), ".llmlb");
  return process.platform === "darwin" ? `/usr/local/var/${name}` : `${STATE_FOLDER}/${name}`;
}

/** Folders beside the data folder that are written to. */
function writableFolders(settings: Settings): string[] {
  const { home } = settings;
  const log = logFileOf(settings);
  const all = [modelsFolder(settings), ...(log === undefined ? [] : [dirname(log)])];
  return all.filter((folder) => folder !== home && !folder.startsWith(`${home}/`));
}

function modelPaths({ models }: Settings): string[] {
  return modelsWithFiles(models).flatMap(({ path, mmproj }) =>
    mmproj === undefined ? [path] : [path, mmproj],
  );
}

/** Those of the groups that may use GPUs which this machine has. */
function groupsOf(): string[] {
  if (!existsSync("/etc/group")) return [];
  const names = readFileSync("/etc/group", "utf8").split("\n");
  return GPU_GROUPS.filter((group) => names.some((line) => line.startsWith(`${group}:`)));
}

/** Throws `CliError` where the service has no user who may write to what it has to. */
export function requireUser({ scope, runAs, name, home, writable }: ServicePlan): void {
  if (scope === "user" || runAs !== undefined) return;
  if (process.platform === "darwin") {
    throw new CliError("Name the user that it is to run as: --run-as.", EXIT.usage);
  }
  if (process.platform !== "linux") return;
  const own = `${STATE_FOLDER}/${name}`;
  const foreign = [home, ...writable].find((folder) => folder !== own);
  if (foreign === undefined) return;
  throw new CliError(
    `The service's own user may not write to ${foreign}, only to ${own}: \
name a user who may with --run-as.`,
    EXIT.usage,
  );
}

/**
 * Why the service's own user could not read the files that it is to run with; undefined: it can.
 * Only a system's own user is nobody else's.
 */
export function accessProblem({ scope, runAs, command }: ServicePlan): string | undefined {
  if (process.platform !== "linux" || scope === "user" || runAs !== undefined) return undefined;
  const files = isCompiled ? command.slice(0, 1) : command.slice(0, 2);
  for (const file of files) {
    if (/^\/(?:tmp|var\/tmp)\//.test(file)) return `${file} lies in a folder that is emptied`;
    const closed = ancestors(file).find((path) => (statSync(path).mode & 0o005) !== 0o005);
    if (closed !== undefined) return `only its owner may enter ${closed}, where ${file} lies`;
  }
  return undefined;
}

function ancestors(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [path] : [...ancestors(folder), folder];
}
