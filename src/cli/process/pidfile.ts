import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What a serving llmlb tells about itself in `<home>/run/serve-<port>.json`. */
const PidFile = z.object({
  pid: z.number().int(),
  started_at: z.string(),
  port: z.number().int(),
  mode: z.enum(["standalone", "balancer", "node"]),
  url: z.string(),
  /** Where the local node of a standalone llmlb listens. */
  node_url: z.string().optional(),
});
export type PidFile = z.infer<typeof PidFile>;

const NAME = /^serve-\d+\.json$/;

/** The run file of this process. */
export interface PidFileHandle {
  update(change: Partial<PidFile>): void;
  /** Removes the file; may be called when the process exits. */
  remove(): void;
}

/** Writes the run file of this process. */
export function writePidFile(home: string, entry: PidFile): PidFileHandle {
  const folder = join(home, "run");
  const path = join(folder, `serve-${entry.port}.json`);
  let current = entry;
  const write = () => writeFileSync(path, `${JSON.stringify(current)}\n`);
  mkdirSync(folder, { recursive: true });
  write();
  return {
    update(change) {
      current = { ...current, ...change };
      write();
    },
    remove() {
      // A successor on the same port may have written its own by now.
      if (read(path)?.pid === entry.pid) rmSync(path, { force: true });
    },
  };
}

/** The llmlb processes that serve from this home; files of dead ones are passed over. */
export function listPidFiles(home: string): PidFile[] {
  const folder = join(home, "run");
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // Nothing has ever run from here.
  }
  return names
    .filter((name) => NAME.test(name))
    .map((name) => read(join(folder, name)))
    .filter((entry) => entry !== undefined)
    .filter(({ pid }) => isAlive(pid))
    .sort((a, b) => a.port - b.port);
}

function read(path: string): PidFile | undefined {
  try {
    const result = PidFile.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return result.success ? result.data : undefined;
  } catch {
    return undefined; // Gone, or written half when the machine went down.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
