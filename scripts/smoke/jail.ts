import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readlink,
  realpath,
  rm,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Emulation, emulationFor, registration } from "./emulation.ts";

/** A folder in which a program runs as if nothing else were installed on the machine. */
export interface Jail {
  /** How the program is shut in, for people. */
  kind: string;
  /** The command line that starts the program in it. */
  command(args: string[]): string[];
  /** The whole environment of the program. `home` is a path as the program sees it. */
  environment(home: string): Record<string, string>;
  /** A path in the jail, as it is seen from outside. */
  outside(path: string): string;
  /** How many times longer things take in it than on the machine itself, at the most. */
  slowness: number;
}

/** What the C and C++ runtimes of a Linux distribution bring; nothing else may be needed. */
const RUNTIME = /^(ld-linux|lib(c|m|dl|pthread|rt|gcc_s|stdc\+\+)\.so)/;

/**
 * A jail in `folder` with the executable, the C and C++ runtimes, /tmp, /proc and two devices.
 * Where the rights for that are missing, and on other systems: an empty environment only.
 */
export async function makeJail(executable: string, folder: string): Promise<Jail> {
  const path = join(folder, process.platform === "win32" ? "llmlb.exe" : "llmlb");
  await mkdir(folder, { recursive: true });
  await copyFile(executable, path);
  await chmod(path, 0o755);
  if (process.platform !== "linux") return open(path, folder);
  const emulation = await emulationFor(executable);
  for (const name of ["tmp", "dev", "proc"]) await mkdir(join(folder, name));
  for (const [library, source] of await runtimeLibraries(emulation)) {
    await mkdir(join(folder, dirname(library)), { recursive: true });
    await copyFile(await realpath(source), join(folder, library));
  }
  for (const device of DEVICES) await writeFile(join(folder, device), "");
  if (emulation !== undefined) return await emulated(folder, emulation);
  for (const rights of [OWN_MOUNTS, OWN_USERS]) {
    const jail = shut(folder, rights);
    if (await runs(jail)) return jail;
  }
  return open(path, folder);
}

const OWN_MOUNTS = ["unshare", "-m"];
const OWN_USERS = ["unshare", "-r", "-m"];

/** A jail for another processor. The kernel may know already how to run its programs. */
async function emulated(folder: string, emulation: Emulation): Promise<Jail> {
  const jails = [
    shut(folder, OWN_USERS, registration(emulation)),
    shut(folder, OWN_MOUNTS),
    shut(folder, OWN_USERS),
  ];
  for (const jail of jails) {
    if (await runs(jail)) return { ...jail, kind: `${emulation.qemu}, ${jail.kind}`, slowness: 5 };
  }
  throw new Error(`Running a program for ARM64 with ${emulation.qemu}: the kernel does not start \
it. That takes Linux 6.7 with user namespaces, or one that has QEMU in binfmt_misc.`);
}

const DEVICES = ["dev/null", "dev/urandom"];

function shut(folder: string, rights: string[], before: string[] = []): Jail {
  const mounts = [...before, `mount --rbind /proc "$0/proc"`];
  for (const device of DEVICES) mounts.push(`mount --bind /${device} "$0/${device}"`);
  const script = `${mounts.join(" && ")} && exec chroot "$0" /llmlb "$@"`;
  return {
    kind: `chroot in a mount namespace (${rights.join(" ")})`,
    command: (args) => [...rights, "sh", "-c", script, folder, ...args],
    // PATH is for mount and chroot; in the jail it leads nowhere.
    environment: (home) => ({ PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LLMLB_HOME: home }),
    outside: (path) => join(folder, path),
    slowness: 1,
  };
}

function open(path: string, folder: string): Jail {
  const { SystemRoot } = process.env;
  return {
    kind: "an empty environment (no right to make a chroot here)",
    command: (args) => [path, ...args],
    environment: (home) => ({
      LLMLB_HOME: join(folder, home),
      HOME: folder,
      ...(SystemRoot === undefined ? {} : { SystemRoot, TEMP: folder }),
    }),
    outside: (path) => join(folder, path),
    slowness: 1,
  };
}

async function runs(jail: Jail): Promise<boolean> {
  const env = jail.environment("/tmp/probe");
  const child = Bun.spawn(jail.command(["--version"]), {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return (await child.exited) === 0;
}

/** The files of the C and C++ runtimes, by their paths in the jail. */
async function runtimeLibraries(emulation: Emulation | undefined): Promise<Map<string, string>> {
  if (emulation === undefined) {
    const paths = await ownLibraries();
    return new Map(paths.map((path) => [path, path]));
  }
  const { libraries, loader } = emulation;
  const names = (await readdir(libraries)).filter((name) => RUNTIME.test(name));
  const folder = dirname(loader);
  return new Map(names.map((name) => [join(folder, name), join(libraries, name)]));
}

/** Those of this machine, by the loader's own list. */
async function ownLibraries(): Promise<string[]> {
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  const list = await new Response(Bun.spawn(["ldconfig", "-p"], { env }).stdout).text();
  const wanted = process.arch === "arm64" ? /AArch64/ : /x86-64/;
  const found = new Map<string, string>();
  for (const line of list.split("\n")) {
    const match = /^\s*(\S+) \((.*)\) => (\S+)$/.exec(line);
    const [name = "", kind = "", path = ""] = match?.slice(1) ?? [];
    if (RUNTIME.test(name) && wanted.test(kind) && !found.has(name)) found.set(name, path);
  }
  // The loader's own place is written into every program.
  const loader =
    process.arch === "arm64" ? "/lib/ld-linux-aarch64.so.1" : "/lib64/ld-linux-x86-64.so.2";
  return [...found.values(), loader];
}

/** Ids of the processes that run an executable of the jail. Linux only; elsewhere empty. */
export async function processesIn(jail: Jail): Promise<number[]> {
  if (process.platform !== "linux") return [];
  const folder = jail.outside("/");
  const pids: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const links = [`/proc/${name}/exe`, `/proc/${name}/root`];
    // Its program is QEMU where it is for another processor; its root is always the jail.
    const places = await Promise.all(links.map((link) => readlink(link).catch(() => "")));
    if (places.some((place) => `${place}/`.startsWith(folder))) pids.push(Number(name));
  }
  return pids;
}

/** Removes the jail; its mounts ended with the processes in it. */
export async function removeJail(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
