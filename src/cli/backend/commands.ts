import { Argument, type Command } from "commander";
import { environment } from "../../config/environment.ts";
import { loadSettings } from "../../config/precedence.ts";
import { PLUGIN_NAMES, type PluginName, pluginPin } from "../../engine/plugin/pin.ts";
import type { Invocation } from "../invocation.ts";
import { addSettingFlags, settingFlagValues } from "../options/settingflags.ts";

/** That of the packages of backends; hosts for which there are none ask for those of another. */
const VERSION = pluginPin("cuda", "linux-x64")?.version;

const NOTES = `
On Linux x64, Vulkan comes with llmlb and is used where a driver has a GPU. CUDA is one library, in
an npm package of its own, made for the llama.cpp inside. It comes from the registry that the
configuration of this host names (.npmrc, bunfig.toml, proxies); a download that broke off goes on
where it stopped. Whatever its origin, it is checked by a hash that this program knows, and tried;
what cannot be used here is removed again. Restart llmlb to use it for what is loaded.

Examples:
  llmlb backend list                       what there is, and what this host lacks for it
  llmlb backend devices                    the devices that models can be given, with their memory
  llmlb backend install auto               CUDA for a GPU of NVIDIA, else Vulkan
  llmlb backend install cuda --keep        for an image that is built where there is no GPU
  npm pack @node-llama-cpp/linux-x64-cuda@${VERSION}       where there is a network; then
  llmlb backend install cuda --from node-llama-cpp-linux-x64-cuda-${VERSION}.tgz`;

interface BackendFlags extends Record<string, unknown> {
  json?: true;
  from?: string;
  keep?: true;
}

/** Adds `llmlb backend list`, `devices`, `install` and `rm`. */
export function addBackendCommands(program: Command, invocation: Invocation): void {
  const backend = program
    .command("backend")
    .helpGroup("Models of this machine:")
    .description("Show, install and remove what computes on GPUs")
    .helpCommand(false)
    .addHelpText("after", NOTES);
  const homeOf = (flags: BackendFlags) =>
    loadSettings({ flags: settingFlagValues(flags, undefined), env: environment() }).settings.home;

  const list = backend
    .command("list")
    .description("Show the backends, whether they work, and what they need")
    .option("--json", "Print JSON");
  addSettingFlags(list, ["home"], "listed").action(async (flags: BackendFlags) => {
    const { listBackends } = await import("./list.ts");
    invocation.exitCode = await listBackends(homeOf(flags), flags.json === true);
  });

  const devices = backend
    .command("devices")
    .description("Show the devices that models can run on")
    .option("--json", "Print JSON");
  addSettingFlags(devices, ["home"], "listed").action(async (flags: BackendFlags) => {
    const { printDevices } = await import("./devices.ts");
    invocation.exitCode = await printDevices(homeOf(flags), flags.json === true);
  });

  const install = backend
    .command("install")
    .description("Fetch a backend, check it and try it")
    .addArgument(new Argument("<backend>", "Which one").choices(["auto", ...PLUGIN_NAMES]))
    .option("--from <file>", "The package (.tgz), or the library itself")
    .option("--keep", "Install it even if it cannot be used here now");
  addSettingFlags(install, ["home"], "listed").action(
    async (name: PluginName | "auto", flags: BackendFlags) => {
      const { installBackend } = await import("./install.ts");
      const { from, keep = false } = flags;
      invocation.exitCode = await installBackend({ name, home: homeOf(flags), from, keep });
    },
  );

  const rm = backend
    .command("rm")
    .description("Remove an installed backend")
    .addArgument(new Argument("<backend>", "Which one").choices(PLUGIN_NAMES));
  addSettingFlags(rm, ["home"], "listed").action(async (name: PluginName, flags: BackendFlags) => {
    const { removeBackend } = await import("./install.ts");
    invocation.exitCode = await removeBackend(name, homeOf(flags));
  });
}
