import { win32 } from "node:path";
import type { ServiceDefinition, ServicePlan, ServiceState } from "./plan.ts";
import { windowsCommandLine, wrapperSource } from "./windowswrapper.ts";

/** Users of Windows by their numbers, since their names are translated. */
const LOCAL_SERVICE = "*S-1-5-19";
const SYSTEM = "*S-1-5-18";
const ADMINISTRATORS = "*S-1-5-32-544";

/**
 * A service of Windows. These have to speak with the service manager, which console programs do
 * not: a small wrapper does, which the compiler of the .NET Framework, part of Windows, makes here.
 */
export function windowsDefinition(plan: ServicePlan, windowsFolder: string): ServiceDefinition {
  const { name, home } = plan;
  const folder = win32.join(home, "service");
  const source = win32.join(folder, "wrapper.cs");
  const wrapper = win32.join(folder, "wrapper.exe");
  const logs = win32.join(home, "logs", "service.log");
  const framework = win32.join(windowsFolder, "Microsoft.NET", "Framework64", "v4.0.30319");
  const full = (who: string) => `${who}:(OI)(CI)F`;
  const sc = (...words: string[]) => ({ argv: ["sc.exe", ...words] });
  return {
    files: [{ path: source, text: wrapperSource(plan, logs) }],
    probe: {
      argv: ["net.exe", "session"],
      isThere: (_, code) => code === 0,
      otherwise: "it takes an administrator. Open the terminal with “Run as administrator”.",
    },
    enable: [
      {
        argv: [
          ...["icacls.exe", home, "/inheritance:r", "/grant:r"],
          ...[full(SYSTEM), full(ADMINISTRATORS), full(LOCAL_SERVICE)],
        ],
      },
      // Waits until it has ended: its wrapper is replaced.
      { argv: ["net.exe", "stop", name], mayFail: true },
      {
        argv: [
          ...[win32.join(framework, "csc.exe"), "/nologo", "/target:exe", `/out:${wrapper}`],
          ...["/reference:System.ServiceProcess.dll", source],
        ],
      },
      {
        ...sc(
          ...["create", name, "binPath=", windowsCommandLine([wrapper]), "start=", "auto"],
          ...["obj=", "NT AUTHORITY\\LocalService", "DisplayName=", name],
        ),
        mayFail: true,
      },
      sc("config", name, "binPath=", windowsCommandLine([wrapper])),
      sc("failure", name, "reset=", "86400", "actions=", "restart/5000/restart/5000/restart/60000"),
      sc("failureflag", name, "1"),
      sc("start", name),
    ],
    disable: [
      { argv: ["net.exe", "stop", name], mayFail: true },
      { ...sc("delete", name), mayFail: true },
    ],
    forget: [],
    query: { argv: ["sc.exe", "queryex", name], parse: parseQuery },
    restart: undefined,
    logs: `type "${logs}"`,
    purge: (folder) => `rmdir /s "${folder}"`,
    notes: [],
  };
}

/** The words are translated, the numbers are not. */
function parseQuery(output: string, code: number): ServiceState {
  if (code !== 0) return { text: "not known", isActive: false, pid: undefined };
  const [, number, word = "?"] = /:\s*([1-7])\s+([A-Z_]{4,})/.exec(output) ?? [];
  const pid = Number(/PID\s*:\s*(\d+)/.exec(output)?.[1] ?? 0);
  return { text: word.toLowerCase(), isActive: number === "4", pid: pid > 0 ? pid : undefined };
}
