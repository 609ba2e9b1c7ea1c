import { Argument, type Command } from "commander";
import { environment } from "../../config/environment.ts";
import { loadSettings } from "../../config/precedence.ts";
import { PLUGIN_NAMES, type PluginName } from "../../engine/plugin/pin.ts";
import type { Invocation } from "../invocation.ts";
import { addSettingFlags, settingFlagValues } from "../options/settingflags.ts";

const NOTES = `
A backend is one library, in an npm package of its own, made for the llama.cpp inside. Bun, which
this program contains, fetches the package as the configuration of this host says (.npmrc,
bunfig.toml, proxies). Whatever its origin, it is checked by a hash that this program knows, and
tried; what cannot be used here is removed again. Restart llmlb to use it for what is loaded.

Examples:
  llmlb backend list                       what there is, and what this host lacks for it
  llmlb backend install auto               CUDA for a GPU of NVIDIA, else Vulkan
  npm pack @node-llama-cpp/linux-x64-vulkan@VERSION     where there is a network; then
  llmlb backend install vulkan --from node-llama-cpp-linux-x64-vulkan-VERSION.tgz`;

interface BackendFlags extends Record<string, unknown> {
  json?: true;
  from?: string;
}

/** Adds `llmlb backend list`, `install` and `rm`. */
export function addBackendCommands(program: Command, invocation: Invocation): void {
  const backend = program
    .command("backend")
    .helpGroup("Models of this machine:")
    .description("Show, install and remove what computes on GPUs")
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

  const install = backend
    .command("install")
    .description("Fetch a backend, check it and try it")
    .addArgument(new Argument("<backend>", "Which one").choices(["auto", ...PLUGIN_NAMES]))
    .option("--from <file>", "The package (.tgz), or the library itself");
  addSettingFlags(install, ["home"], "listed").action(
    async (name: PluginName | "auto", flags: BackendFlags) => {
      const { installBackend } = await import("./install.ts");
      invocation.exitCode = await installBackend({ name, home: homeOf(flags), from: flags.from });
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
