import { readFileSync, realpathSync } from "node:fs";

/** Where a file system is mounted, and with which options (`ro`, `noexec`, …). */
export interface Mount {
  point: string;
  options: string[];
}

/** The mount that an existing path lies on, where the system tells: on Linux. */
export function mountOf(path: string): Mount | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return findMount(readFileSync("/proc/self/mountinfo", "utf8"), realpathSync(path));
  } catch {
    return undefined; // A container may have no /proc.
  }
}

/**
 * The mount of an absolute path without links, out of the text of `/proc/self/mountinfo`
 * (proc_pid_mountinfo(5)). Of several at one place the last one hides the others.
 */
export function findMount(mountinfo: string, path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of mountinfo.split("\n")) {
    const [, , , , escaped, options] = line.split(" ");
    if (escaped === undefined || options === undefined) continue;
    const point = unescaped(escaped);
    const isAbove = path === point || path.startsWith(point === "/" ? point : `${point}/`);
    if (isAbove && point.length >= (found?.point.length ?? 0)) {
      found = { point, options: options.split(",") };
    }
  }
  return found;
}

/** Blanks and the like are written as their octal number. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
