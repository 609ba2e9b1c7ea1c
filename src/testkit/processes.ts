import { readdirSync, readFileSync } from "node:fs";

/** Processes of this program with this data folder, by their environment. */
export function processesOf(home: string): number[] {
  const wanted = `LLMLB_HOME=${home}`;
  if (process.platform !== "linux") {
    const { stdout } = Bun.spawnSync(["ps", "-axEww", "-o", "pid=,command="]);
    const lines = stdout.toString().split("\n");
    return lines.filter((line) => line.includes(`${wanted} `)).map((line) => parseInt(line, 10));
  }
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(wanted))
    .map(Number);
}

/** Kills a process, unless it is gone. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    return; // gone meanwhile
  }
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return []; // gone meanwhile, or another user's
  }
}

/** Kills `pid` when this process ends without writing `done`: nothing outlives a killed run. */
export function killWithParent(pid: number) {
  const script = 'read -r done || kill -9 "$0"';
  return Bun.spawn(["sh", "-c", script, String(pid)], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
}

/** Whether a process runs. A zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    // A process is gone when all its threads are: until then its sockets stay open.
    return readdirSync(`/proc/${pid}/task`).some((thread) => isRunning(pid, thread));
  } catch {
    return false; // gone
  }
}

function isRunning(pid: number, thread: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"));
  } catch {
    return false; // this thread is gone
  }
}
