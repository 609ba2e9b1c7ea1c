import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The memory of this host that this process may use, in bytes. */
export interface HostMemory {
  total: number;
  /** What can be taken without swapping, caches that would be given up included. */
  available: number;
}

/** Where a version of control groups tells the limits of a group. */
interface Controller {
  folder: string;
  limits: string[];
  usage: string;
  /** The field of `memory.stat` with the pages of files that are given up first. */
  reclaimable: string;
}

const V1: Controller = {
  folder: "sys/fs/cgroup/memory",
  limits: ["memory.limit_in_bytes"],
  usage: "memory.usage_in_bytes",
  reclaimable: "total_inactive_file",
};
const V2: Controller = {
  folder: "sys/fs/cgroup",
  limits: ["memory.max", "memory.high"],
  usage: "memory.current",
  reclaimable: "inactive_file",
};
/** Both versions together: version 2 has a folder of its own then. */
const HYBRID: Controller = { ...V2, folder: "sys/fs/cgroup/unified" };

/**
 * The memory of this host: Linux's `MemAvailable`, and no more than the limits of the control
 * groups that this process is in leave (a container's). Undefined on other systems. Sources:
 * proc(5), https://docs.kernel.org/admin-guide/cgroup-v2.html, cgroup-v1/memory.html beside it.
 * @param root Default: `/`.
 */
export function readHostMemory(root = "/"): HostMemory | undefined {
  const info = readText(join(root, "proc/meminfo"));
  const field = (name: string) => {
    return Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(info)?.[1] ?? Number.NaN) * 1024;
  };
  let [total, available] = [field("MemTotal"), field("MemAvailable")];
  if (Number.isNaN(total) || Number.isNaN(available)) return undefined;
  for (const { limit, left } of groupLimits(root)) {
    total = Math.min(total, limit);
    available = Math.min(available, left);
  }
  return { total, available: Math.max(0, available) };
}

function groupLimits(root: string): { limit: number; left: number }[] {
  const lines = readText(join(root, "proc/self/cgroup")).split("\n");
  return lines.flatMap((line) => {
    const [, id = "", names = "", path = ""] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    const isV1 = names.split(",").includes("memory");
    const controllers = isV1 ? [V1] : id === "0" && names === "" ? [V2, HYBRID] : [];
    return controllers.flatMap((controller) => limitsOnTheWay(root, controller, path));
  });
}

/**
 * The limits of a group and of all above it. In a container the path may be that of the host, where
 * only its beginning, the container's own group, can be seen.
 */
function limitsOnTheWay(root: string, controller: Controller, path: string) {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return [...parts, ""].flatMap((_, up) => {
    const folder = join(root, controller.folder, ...parts.slice(0, parts.length - up));
    const limits = controller.limits.map((name) => readNumber(join(folder, name)));
    const limit = Math.min(...limits.map((one) => one ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(limit)) return [];
    const stat = readText(join(folder, "memory.stat"));
    const files = new RegExp(`^${controller.reclaimable} (\\d+)$`, "m").exec(stat)?.[1];
    const used = (readNumber(join(folder, controller.usage)) ?? 0) - Number(files ?? 0);
    return [{ limit, left: limit - Math.max(0, used) }];
  });
}

/** A number in a file; undefined where there is none, as with `max`. */
function readNumber(path: string): number | undefined {
  const text = readText(path).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // Another system, or another version of control groups.
  }
}
