import { markOf, type ServicePlan } from "./plan.ts";

/** Where systemd makes the folders of services. */
export const STATE_FOLDER = "/var/lib";

/** From here on everybody may listen. */
const UNPRIVILEGED_PORT_MIN = 1024;
const WATCHDOG_S = 30;
const RETRY_S = 5;

/** Seccomp needs no rights, so users' own units have these as well. Bun compiles as it runs. */
const EVERYWHERE = [
  "NoNewPrivileges=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallErrorNumber=EPERM",
  "UMask=0077",
];

const SYSTEM_ONLY = [
  "ProtectSystem=strict",
  "PrivateTmp=yes",
  "PrivateMounts=yes",
  "ProtectProc=invisible",
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectControlGroups=yes",
  "RemoveIPC=yes",
  "KeyringMode=private",
  // GPUs of Intel and AMD, of AMD alone, and of NVIDIA; no other device but /dev/null and the like.
  "DevicePolicy=closed",
  "DeviceAllow=char-drm rw",
  "DeviceAllow=char-kfd rw",
  "DeviceAllow=char-nvidia* rw",
];

/**
 * The unit of a service. One of the system runs as a user that exists only while it runs, sees no
 * more of the machine than it needs, and writes to its data folder alone. `head` says who wrote it.
 * Source: systemd.exec(5), systemd.service(5).
 */
export function systemdUnit(plan: ServicePlan, head: string = markOf(plan.home)): string {
  const isSystem = plan.scope === "system";
  const lines = [
    `# ${head}`,
    "[Unit]",
    "Description=llmlb: one OpenAI-compatible address in front of all inference endpoints",
    ...(isSystem ? ["Wants=network-online.target", "After=network-online.target"] : []),
    "",
    "[Service]",
    "Type=notify",
    `ExecStart=${plan.command.map(quoted).join(" ")}`,
    "ExecReload=/bin/kill -HUP $MAINPID",
    `TimeoutStartSec=${plan.startMs === undefined ? "infinity" : seconds(plan.startMs)}`,
    `TimeoutStopSec=${seconds(plan.stopMs)}`,
    `WatchdogSec=${WATCHDOG_S}`,
    "Restart=on-failure",
    `RestartSec=${RETRY_S}`,
    "# 2 is a wrong setting, which trying again does not mend.",
    "RestartPreventExitStatus=2",
    "# Engines are told to end by llmlb; one that the kernel ends for its memory is started again.",
    "KillMode=mixed",
    "OOMPolicy=continue",
    "LimitNOFILE=65536",
    "LimitMEMLOCK=infinity",
    "",
    ...(isSystem ? userLines(plan) : []),
    ...folderLines(plan),
    ...EVERYWHERE,
    ...(isSystem ? [...SYSTEM_ONLY, ...capabilityLines(plan)] : []),
    "",
    "[Install]",
    `WantedBy=${isSystem ? "multi-user.target" : "default.target"}`,
  ];
  return `${lines.join("\n")}\n`;
}

function userLines({ runAs, groups }: ServicePlan): string[] {
  const extra = groups.length === 0 ? [] : [`SupplementaryGroups=${groups.join(" ")}`];
  return [runAs === undefined ? "DynamicUser=yes" : `User=${runAs}`, ...extra];
}

function folderLines({ scope, name, home, writable, readsHomes }: ServicePlan): string[] {
  if (scope === "user") return [`WorkingDirectory=-${path(home)}`];
  const isState = home === `${STATE_FOLDER}/${name}`;
  const others = [...(isState ? [] : [home]), ...writable];
  return [
    `ProtectHome=${readsHomes ? "read-only" : "yes"}`,
    ...(isState ? [`StateDirectory=${name}`, "StateDirectoryMode=0700"] : []),
    ...others.map((folder) => `ReadWritePaths=${quoted(folder)}`),
    `WorkingDirectory=${path(home)}`,
  ];
}

function capabilityLines({ port }: ServicePlan): string[] {
  const needed = port > 0 && port < UNPRIVILEGED_PORT_MIN ? "CAP_NET_BIND_SERVICE" : "";
  return [`CapabilityBoundingSet=${needed}`, `AmbientCapabilities=${needed}`];
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

/** A word of a command line: systemd replaces `%x` everywhere and `$X` in commands. */
function quoted(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  return `"${plain.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** A path that stands alone, where systemd knows no quotes. */
function path(text: string): string {
  return text.replaceAll("%", "%%");
}
