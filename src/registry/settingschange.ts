import { ApiError } from "../wire/error.ts";
import { type RunSettings, withFiles } from "../wire/runsettings.ts";

/** Arguments that name devices, files, folders or servers of the host that an engine runs on. */
const OF_HOSTS = new RegExp(
  [
    "file|path|-dir$|lora|control-vector|model-draft|draft-model|lookup-cache|rpc|url|hf|repo",
    "device|^-(?:md|j|jf|bf|l|dev)$",
  ].join("|"),
);

/**
 * The settings of a registered model after a change of them: null for one takes it back, null for
 * all takes all back. They go to all nodes, so files may be named only as they lie beside the
 * model's own. Throws 400 for wrong ones; `fault` says what engines would refuse.
 */
export async function changedSettings(
  before: RunSettings | null,
  change: RunSettings | null | undefined,
  fault: (args: string[]) => Promise<string | undefined> = async () => undefined,
): Promise<RunSettings | null> {
  if (change === undefined) return before;
  const entries = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null);
  const settings: RunSettings = change === null ? {} : Object.fromEntries(entries);
  refuseHostSettings(settings);
  const problem = await fault(settings.args ?? []);
  if (problem !== undefined) throw wrongSettings(`args: ${problem}`);
  return Object.keys(settings).length === 0 ? null : settings;
}

/**
 * Throws 400 for settings that name devices, files or servers of one host. Files may be named only
 * as they lie beside the model's own.
 */
export function refuseHostSettings(settings: RunSettings): void {
  withFiles(settings, (path) => {
    if (!/[\\/]/.test(path)) return path;
    throw wrongSettings(`${path} must be the name of a file beside the model's own`);
  });
  if (settings.device !== undefined) throw ofOneHost("device");
  for (const arg of settings.args ?? []) {
    const [name = ""] = arg.split("=", 1);
    if (!name.startsWith("-") || !OF_HOSTS.test(name)) continue;
    throw ofOneHost(name);
  }
}

function ofOneHost(name: string): ApiError {
  return wrongSettings(
    `${name} names something of one host: set it in the config.json of that node`,
  );
}

/** 400 for settings of a model that are wrong. */
export function wrongSettings(why: string): ApiError {
  const message = `The request is invalid: \`settings\`: ${why}`;
  return new ApiError("invalid_request", message, { param: "settings" });
}
