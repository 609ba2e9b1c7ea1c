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
  withFiles(settings, (path) => {
    if (!/[\\/]/.test(path)) return path;
    throw wrong(`${path} must be the name of a file beside the model's own`);
  });
  if (settings.device !== undefined) throw ofOneHost("device");
  const { args = [] } = settings;
  for (const arg of args) {
    const [name = ""] = arg.split("=", 1);
    if (!name.startsWith("-") || !OF_HOSTS.test(name)) continue;
    throw ofOneHost(name);
  }
  const problem = await fault(args);
  if (problem !== undefined) throw wrong(`args: ${problem}`);
  return Object.keys(settings).length === 0 ? null : settings;
}

function ofOneHost(name: string): ApiError {
  return wrong(`${name} names something of one host: set it in the config.json of that node`);
}

function wrong(why: string): ApiError {
  const message = `The request is invalid: \`settings\`: ${why}`;
  return new ApiError("invalid_request", message, { param: "settings" });
}
