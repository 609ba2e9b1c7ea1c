import { dirname, join } from "node:path";
import { markOf, type ServiceDefinition, type ServicePlan, type ServiceState } from "./plan.ts";

export interface LaunchdPlaces {
  userFolder: string;
  uid: number;
}

const RETRY_S = 10;

/** A service of macOS: a daemon of the machine, or an agent of one user. */
export function launchdDefinition(
  plan: ServicePlan,
  { userFolder, uid }: LaunchdPlaces,
): ServiceDefinition {
  const { name, scope, home } = plan;
  const isUser = scope === "user";
  const folder = isUser ? join(userFolder, "Library/LaunchAgents") : "/Library/LaunchDaemons";
  const path = join(folder, `${name}.plist`);
  const domain = isUser ? `gui/${uid}` : "system";
  const target = `${domain}/${name}`;
  const logs = join(home, "logs", "service.log");
  const owner = plan.runAs;
  const folders = [
    { argv: ["mkdir", "-p", dirname(logs)] },
    ...(owner === undefined ? [] : [{ argv: ["chown", "-R", owner, home] }]),
  ];
  return {
    files: [{ path, text: launchdPlist(plan, logs) }],
    probe: {
      argv: ["launchctl", "print", domain],
      isThere: (_, code) => code === 0,
      otherwise: `launchd has no ${domain} here. Log in to the machine's own screen first.`,
    },
    enable: [
      ...folders,
      { argv: ["launchctl", "enable", target] },
      // It fails where the service is loaded already; `query` tells afterwards whether it is.
      { argv: ["launchctl", "bootstrap", domain, path], mayFail: true },
    ],
    disable: [{ argv: ["launchctl", "bootout", target], mayFail: true }],
    forget: [],
    query: { argv: ["launchctl", "print", target], parse: parsePrint },
    restart: `launchctl bootout ${target}; launchctl bootstrap ${domain} ${path}`,
    logs: `tail ${logs}`,
    purge: (folder) => `rm -r ${folder}`,
    notes: [],
  };
}

/** The property list of a service. Source: launchd.plist(5). */
function launchdPlist(plan: ServicePlan, logs: string): string {
  const { name, command, home, runAs, stopMs } = plan;
  const strings = (words: string[]) => words.map((word) => `    <string>${xml(word)}</string>`);
  const entries: [string, string[]][] = [
    ["Label", [`  <string>${xml(name)}</string>`]],
    ["ProgramArguments", ["  <array>", ...strings(command), "  </array>"]],
    ["WorkingDirectory", [`  <string>${xml(home)}</string>`]],
    ...(runAs === undefined
      ? []
      : [["UserName", [`  <string>${xml(runAs)}</string>`]] as [string, string[]]]),
    ["RunAtLoad", ["  <true/>"]],
    ["KeepAlive", ["  <dict>", "    <key>SuccessfulExit</key>", "    <false/>", "  </dict>"]],
    ["ThrottleInterval", [`  <integer>${RETRY_S}</integer>`]],
    ["ExitTimeOut", [`  <integer>${Math.ceil(stopMs / 1000)}</integer>`]],
    ["ProcessType", ["  <string>Interactive</string>"]],
    ["Umask", ["  <integer>63</integer>"]],
    ["StandardOutPath", ["  <string>/dev/null</string>"]],
    ["StandardErrorPath", [`  <string>${xml(logs)}</string>`]],
    [
      "SoftResourceLimits",
      ["  <dict>", "    <key>NumberOfFiles</key>", "    <integer>65536</integer>", "  </dict>"],
    ],
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" \
"http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    `<!-- ${markOf(home).replaceAll("--", "- -")} -->`,
    '<plist version="1.0">',
    "<dict>",
    ...entries.flatMap(([key, lines]) => [`  <key>${key}</key>`, ...lines]),
    "</dict>",
    "</plist>",
    "",
  ].join("\n");
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function parsePrint(output: string, code: number): ServiceState {
  if (code !== 0) return { text: "not loaded", isActive: false, pid: undefined };
  const state = /^\s*state = (.+)$/m.exec(output)?.[1] ?? "unknown";
  const pid = Number(/^\s*pid = (\d+)$/m.exec(output)?.[1] ?? 0);
  return { text: state, isActive: state === "running", pid: pid > 0 ? pid : undefined };
}
