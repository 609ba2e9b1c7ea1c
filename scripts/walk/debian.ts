import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type RunResult, runResultOf } from "../../src/testkit/command.ts";
import { capture } from "../native/run.ts";
import { cacheFolder } from "../native/sources.ts";

const SUITE = "bookworm";
/** All that it has beside Debian's smallest system. */
const PACKAGES = "curl,ca-certificates";
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const USER = "user";

/** A clean Debian in a folder, which shares this machine's network and processes. */
export class DebianSystem implements AsyncDisposable {
  readonly #folder: string;
  /** Keeps the mounts, which go when it ends. */
  readonly #holder: Bun.Subprocess;

  private constructor(folder: string, holder: Bun.Subprocess) {
    this.#folder = folder;
    this.#holder = holder;
  }

  /** Why there can be none here; undefined: there can. */
  static problem(): string | undefined {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return "it needs root on Linux";
    const missing = ["debootstrap", "unshare", "nsenter", "tar"].find((one) => !Bun.which(one));
    return missing === undefined ? undefined : `${missing} is missing`;
  }

  /** Unpacks a fresh one into `folder`, which must not exist. Throws with what failed. */
  static async make(folder: string): Promise<DebianSystem> {
    const archive = await baseArchive();
    await mkdir(folder);
    await capture(["tar", "-xf", archive], { cwd: folder });
    const useradd = ["useradd", "--create-home", "--shell", "/bin/sh", USER];
    await capture(["chroot", folder, ...useradd], { cwd: folder });
    const mounts = [
      `mount --rbind /proc ${folder}/proc`,
      `mount -t tmpfs none ${folder}/dev`,
      `mount -t tmpfs -o mode=1777 none ${folder}/tmp`,
      `ln -s /proc/self/fd ${folder}/dev/fd`,
      ...["null", "zero", "random", "urandom"].map((name) => {
        return `touch ${folder}/dev/${name} && mount --bind /dev/${name} ${folder}/dev/${name}`;
      }),
    ];
    const script = `${mounts.join(" && ")} && echo ready && exec cat`;
    const holder = Bun.spawn(["unshare", "-m", "sh", "-c", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const { value } = await holder.stdout.getReader().read();
    if (value === undefined) throw new Error(`Mounting what ${folder} needs failed.`);
    return new DebianSystem(folder, holder);
  }

  /** Starts a shell with a script, as an ordinary user unless told. */
  start(script: string, { root = false, env = {} }: ShellOptions = {}) {
    const home = root ? "/root" : `/home/${USER}`;
    const who = root ? [] : [`--userspec=${USER}:${USER}`];
    const enter = ["nsenter", `--mount=/proc/${this.#holder.pid}/ns/mnt`, "chroot"];
    const variables = Object.entries({ PATH, HOME: home, LANG: "C.UTF-8", ...env });
    const clean = ["env", "-i", ...variables.map(([name, value]) => `${name}=${value}`)];
    const command = [...enter, ...who, this.#folder, ...clean, "sh", "-ec", `cd; ${script}`];
    return Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Runs a script to its end; throws with what it printed if that was not well. */
  async shell(script: string, options: ShellOptions = {}): Promise<RunResult> {
    const result = await runResultOf(this.start(script, options));
    if (result.code === 0) return result;
    throw new Error(`status ${result.code}: ${script}\n${result.stdout}${result.stderr}`);
  }

  /** All files and folders, but for what every system changes by itself. */
  async files(): Promise<string[]> {
    const hidden = "-path /proc -prune -o -path /dev -prune -o";
    const { stdout } = await this.shell(`find / ${hidden} -print`, { root: true });
    return stdout.trim().split("\n").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill();
    await this.#holder.exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export interface ShellOptions {
  root?: boolean;
  env?: Record<string, string>;
}

/** The base system as an archive; made once, with packages from Debian. */
async function baseArchive(): Promise<string> {
  const folder = join(cacheFolder(), "debian");
  const archive = join(folder, `${SUITE}.tar`);
  if (existsSync(archive)) return archive;
  const unfinished = join(folder, `unfinished-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const how = ["--variant=minbase", `--include=${PACKAGES}`];
    await capture(["debootstrap", ...how, SUITE, unfinished], { cwd: folder });
    await rm(join(unfinished, "var/cache/apt/archives"), { recursive: true, force: true });
    const pack = ["tar", "--one-file-system", "-cf", `${unfinished}.tar`, "."];
    await capture(pack, { cwd: unfinished });
    await rename(`${unfinished}.tar`, archive);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return archive;
}
