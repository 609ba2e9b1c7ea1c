import { join } from "node:path";
import type { ServiceDefinition, ServicePlan, ServiceState } from "./plan.ts";
import { STATE_FOLDER, systemdUnit } from "./systemdunit.ts";

export interface SystemdPlaces {
  /** Where another system's files lie, such as an image's; undefined: this one is meant. */
  root: string | undefined;
  /** The user's folder of settings, such as `~/.config`. */
  configFolder: string;
}

const RUNNING = /^(initializing|starting|running|degraded|maintenance|stopping)$/m;

/** A service of systemd. */
export function systemdDefinition(
  plan: ServicePlan,
  { root, configFolder }: SystemdPlaces,
): ServiceDefinition {
  const { name, scope } = plan;
  const isUser = scope === "user";
  const unit = `${name}.service`;
  const folder = isUser
    ? join(configFolder, "systemd/user")
    : join(root ?? "/", "etc/systemd/system");
  const systemctl = ["systemctl", ...(isUser ? ["--user"] : [])];
  const offline = ["systemctl", ...(root === undefined ? [] : [`--root=${root}`])];
  const shown = systemctl.join(" ");
  const isElsewhere = root !== undefined;
  return {
    files: [{ path: join(folder, unit), text: systemdUnit(plan) }],
    ...(isUser ? {} : { packaged: join(root ?? "/", "usr/lib/systemd/system", unit) }),
    probe: isElsewhere
      ? { argv: [...offline, "--version"], isThere: (_, code) => code === 0, otherwise: NONE }
      : {
          argv: [...systemctl, "is-system-running"],
          isThere: (output) => RUNNING.test(output),
          otherwise: isUser ? NO_USER_MANAGER : NONE,
        },
    enable: isElsewhere
      ? [{ argv: [...offline, "enable", unit] }]
      : [
          { argv: [...systemctl, "daemon-reload"] },
          { argv: [...systemctl, "enable", unit] },
          // A first model may load for minutes.
          { argv: [...systemctl, "start", "--no-block", unit] },
        ],
    disable: isElsewhere
      ? [{ argv: [...offline, "disable", unit], mayFail: true }]
      : [{ argv: [...systemctl, "disable", "--now", unit], mayFail: true }],
    forget: isElsewhere
      ? []
      : [
          { argv: [...systemctl, "daemon-reload"] },
          { argv: [...systemctl, "reset-failed", unit], mayFail: true },
        ],
    query: {
      argv: [...systemctl, "show", unit, "--property=ActiveState,SubState,UnitFileState,MainPID"],
      parse: parseShow,
    },
    restart: `${shown} restart ${name}`,
    logs: `journalctl ${isUser ? "--user " : ""}-u ${name}`,
    // systemd keeps what belongs to a user of its own elsewhere, behind a link.
    purge: (folder) =>
      isUser || plan.runAs !== undefined
        ? `rm -r ${folder}`
        : `rm -r ${folder} ${join(STATE_FOLDER, "private", name)}`,
    notes: isUser
      ? ["It runs while you are logged in; loginctl enable-linger keeps it running."]
      : [],
  };
}

const NONE = "systemd does not run here. --dry-run prints the unit, for other service managers.";
const NO_USER_MANAGER =
  "no systemd runs for this user. Log in to the machine itself, or install it as root.";

function parseShow(output: string): ServiceState {
  const values = new Map(
    output.split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1).trim()] as const;
    }),
  );
  const active = values.get("ActiveState") ?? "unknown";
  const pid = Number(values.get("MainPID") ?? 0);
  const enabled = values.get("UnitFileState") === "enabled" ? "starts with the machine" : "";
  const text = `${active} (${values.get("SubState") ?? "?"})`;
  return {
    text: enabled === "" ? `${text}, not enabled` : `${text}, ${enabled}`,
    isActive: active === "active",
    pid: pid > 0 ? pid : undefined,
  };
}
