import { existsSync } from "node:fs";
import { link, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type KernelLock, takeKernelLock } from "../../db/engine/kernellock.ts";
import { syncFile } from "../../lib/syncfile.ts";
import { syncFolder } from "../../storage/atomicwrite.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { describeFileError } from "../process/fileerror.ts";

/**
 * The place of the program on the disk, and what stands beside it:
 *
 * | path                    | what                                             |
 * |-------------------------|--------------------------------------------------|
 * | `llmlb`                 | the program, at any moment whole: old or new     |
 * | `llmlb.previous`        | the one before, for going back                   |
 * | `.llmlb-update/`        | downloads; there while an update runs, or to go  |
 * |                         | on with one that was interrupted                 |
 *
 * Windows lets nobody replace a program that runs, only rename it: there, for a moment, nothing
 * stands at its path.
 */
export class ProgramPlace {
  readonly path: string;
  readonly previous: string;
  readonly folder: string;
  readonly #isWindows: boolean;

  constructor(path: string, platform: string = process.platform) {
    this.path = path;
    this.#isWindows = platform === "win32";
    const name = basename(path).replace(/\.exe$/, "");
    const suffix = this.#isWindows ? ".exe" : "";
    this.previous = join(dirname(path), `${name}.previous${suffix}`);
    this.folder = join(dirname(path), `.${name}-update`);
  }

  /**
   * Makes this process the only one that changes the program. Throws `CliError` if another does, or
   * if this user may not.
   */
  async open(): Promise<KernelLock> {
    let lock: KernelLock | undefined;
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      lock = takeKernelLock(join(this.folder, "lock"));
    } catch (cause) {
      throw this.#unwritable(cause);
    }
    if (lock === undefined) throw new CliError(`Another process is about to change ${this.path}.`);
    return lock;
  }

  /** Where a file of a release is fetched to. */
  downloadPath(version: string): string {
    const suffix = this.#isWindows ? ".exe" : "";
    return join(this.folder, `llmlb-${version}${suffix}`);
  }

  /** Removes what interrupted updates to other versions have left. */
  async clean(version: string): Promise<void> {
    const wanted = basename(this.downloadPath(version));
    for (const name of await readdir(this.folder)) {
      if (name.startsWith("lock") || name.includes(wanted)) continue;
      await rm(join(this.folder, name), { recursive: true, force: true });
    }
  }

  /** Removes the folder of downloads. */
  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Keeps the program as the one before; it stays where it is, too, but on Windows. */
  async keepPrevious(): Promise<void> {
    try {
      if (this.#isWindows) return;
      await this.#linkOver(this.path, this.previous);
    } catch (cause) {
      throw this.#unwritable(cause);
    }
  }

  /** Puts a whole file in the place of the program. */
  async put(file: string): Promise<void> {
    try {
      await syncFile(file);
      if (this.#isWindows) {
        await rm(this.previous, { force: true });
        await rename(this.path, this.previous);
      }
      await rename(file, this.path);
      await syncFolder(dirname(this.path));
    } catch (cause) {
      throw this.#unwritable(cause);
    }
  }

  /** Puts the one before in the place of the program, which becomes the one before if `keep`. */
  async swapBack({ keep }: { keep: boolean }): Promise<void> {
    const other = join(this.folder, "other");
    try {
      await rm(other, { force: true });
      if (this.#isWindows) await rename(this.path, other);
      else await link(this.path, other);
      await rename(this.previous, this.path);
      if (keep) await rename(other, this.previous);
      await syncFolder(dirname(this.path));
    } catch (cause) {
      throw this.#unwritable(cause);
    }
  }

  hasPrevious(): boolean {
    return existsSync(this.previous);
  }

  async #linkOver(from: string, to: string): Promise<void> {
    const whole = join(this.folder, "kept");
    await rm(whole, { force: true });
    await link(from, whole);
    await rename(whole, to);
  }

  #unwritable(cause: unknown): CliError {
    const reason = describeFileError(cause);
    const advice = process.platform === "win32" ? "as administrator" : "with sudo";
    return new CliError(
      `Replacing ${this.path} failed: ${reason}. Try it ${advice}, or as the file's owner.`,
      EXIT.error,
      cause,
    );
  }
}
