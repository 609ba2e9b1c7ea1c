import { EXIT, type ExitCode } from "../process/exit.ts";
import { listPidFiles } from "../process/pidfile.ts";
import { printJson, printLine } from "../terminal/output.ts";
import { defineService, type ServiceOptions } from "./definition.ts";
import { installedHome, packagedHome, presence, serviceState } from "./effects.ts";

/** Prints whether there is such a service and whether it runs; 1 if it does not. */
export async function showServiceStatus(
  options: ServiceOptions,
  asJson: boolean,
): Promise<ExitCode> {
  const { plan, definition } = defineService(options);
  const [file] = definition.files;
  const found = file === undefined ? "absent" : presence(file.path, file.text);
  const packaged = found === "absent" ? packagedHome(definition) : undefined;
  const place = packaged === undefined ? file?.path : definition.packaged;
  const state = await serviceState(definition);
  const home = installedHome(definition) ?? packaged ?? plan.home;
  const servers = listPidFiles(home).map(({ url, pid }) => ({ url, pid }));
  const code = state.isActive ? EXIT.ok : EXIT.error;
  const isInstalled = found !== "absent" || packaged !== undefined;
  if (asJson) {
    return printJson(
      {
        ...{ name: plan.name, scope: plan.scope, file: place, installed: isInstalled },
        ...{ state: state.text, active: state.isActive, pid: state.pid ?? null },
        ...{ home, servers },
      },
      code,
    );
  }
  printLine(`service   ${plan.name} (${plan.scope === "user" ? "yours" : "of this machine"})`);
  printLine(`defined   ${isInstalled ? place : "no: llmlb service install"}`);
  const pid = state.pid === undefined ? "" : `, process ${state.pid}`;
  printLine(`state     ${isInstalled ? state.text + pid : "not installed"}`);
  printLine(`data      ${home}`);
  for (const { url } of servers) printLine(`address   ${url}`);
  if (isInstalled && !state.isActive) printLine(`its log   ${definition.logs}`);
  return code;
}
