import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Longest path of a Unix socket that works on every system. */
const SOCKET_PATH_BYTES_MAX = 100;

const NAME = /^engine-(\d+)-[0-9a-f]{8}\.sock$/;

/**
 * A new path for an engine's Unix socket: in `run/` of the data folder, or in the temporary folder
 * of the system if that path is too long. Removes sockets of dead processes in the same folder.
 */
export async function newSocket(home: string): Promise<string> {
  const name = `engine-${process.pid}-${crypto.randomUUID().slice(0, 8)}.sock`;
  const inHome = join(home, "run", name);
  const folder =
    Buffer.byteLength(inHome) <= SOCKET_PATH_BYTES_MAX
      ? join(home, "run")
      : join(tmpdir(), `llmlb-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await removeStale(folder);
  return join(folder, name);
}

/** Removes the sockets of processes that are gone, if nothing listens there. */
async function removeStale(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Another container may share this folder: its processes are not visible here.
    const path = join(folder, name);
    if (!(await isListening(path))) rmSync(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

async function isListening(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data: () => undefined } });
    socket.end();
    return true;
  } catch {
    return false; // refused: nothing listens
  }
}
