import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that listens on a port. */
interface PortOwner {
  pid: number;
  /** Name of its program. */
  command: string;
}

/** The process that listens on a TCP port; undefined if this user cannot see it. */
export function findPortOwner(port: number): PortOwner | undefined {
  if (process.platform === "linux") return ownerFromProc(port);
  if (process.platform === "win32") return undefined;
  return ownerFromLsof(port);
}

const LISTENING = "0A";

/** Columns of /proc/net/tcp (proc_net_tcp(5)): 1 local address, 3 state, 9 inode. */
function ownerFromProc(port: number): PortOwner | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const sockets = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of attempt(() => readFileSync(table, "utf8"), "").split("\n")) {
      const columns = line.trim().split(/\s+/);
      if (columns[3] === LISTENING && columns[1]?.endsWith(suffix)) {
        sockets.add(`socket:[${columns[9]}]`);
      }
    }
  }
  if (sockets.size === 0) return undefined;
  for (const pid of attempt(() => readdirSync("/proc"), []).filter((name) => /^\d+$/.test(name))) {
    const holds = attempt(() => readdirSync(`/proc/${pid}/fd`), []).some((fd) =>
      sockets.has(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), "")),
    );
    if (!holds) continue;
    const command = attempt(() => readFileSync(`/proc/${pid}/comm`, "utf8"), "").trim();
    return { pid: Number(pid), command };
  }
  return undefined;
}

function ownerFromLsof(port: number): PortOwner | undefined {
  const command = ["lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"];
  const output = attempt(() => Bun.spawnSync(command).stdout.toString(), "");
  const [, pid] = /^p(\d+)$/m.exec(output) ?? [];
  const [, name] = /^c(.+)$/m.exec(output) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), command: name ?? "" };
}

/** The fallback if a read fails: processes end, and those of other users are not readable. */
function attempt<T>(read: () => T, fallback: T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
