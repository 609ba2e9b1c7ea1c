// Completes package-lock.json after `npm install`: `bun scripts/lock.ts`.
// npm leaves out optional packages of other platforms that a registry does not have (yet), and then
// `npm ci` refuses the lock file everywhere. Here they get an entry with what their names tell.
import { join } from "node:path";

interface Entry {
  version: string;
  optionalDependencies?: Record<string, string>;
  [field: string]: unknown;
}

export interface Lock {
  packages: Record<string, Entry>;
}

const OS = ["darwin", "linux", "win32", "android", "freebsd"];
const CPU = ["arm64", "x64"];

/** The optional packages that a lock file speaks of but has no entry for: name → version. */
export function missingFrom(lock: Lock): Map<string, string> {
  const missing = new Map<string, string>();
  for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (lock.packages[`node_modules/${name}`] === undefined) missing.set(name, version);
    }
  }
  return missing;
}

/** The same lock file with an entry for every optional package. */
export function completed(lock: Lock): Lock {
  const packages = { ...lock.packages };
  for (const [name, version] of missingFrom(lock)) {
    const words = name.split(/[-/]/);
    packages[`node_modules/${name}`] = {
      version,
      cpu: CPU.filter((cpu) => words.includes(cpu)),
      dev: true,
      ...(words.includes("musl") ? { libc: ["musl"] } : {}),
      optional: true,
      os: OS.filter((os) => words.includes(os)),
    };
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

if (import.meta.main) {
  const path = join(import.meta.dir, "../package-lock.json");
  const lock: Lock = await Bun.file(path).json();
  await Bun.write(path, `${JSON.stringify(completed(lock), null, 2)}\n`);
}
