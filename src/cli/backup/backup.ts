import { existsSync, statSync } from "node:fs";
import { chmod, copyFile, link, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { create } from "tar";
import type { Settings } from "../../config/settings.ts";
import { formatBytes } from "../../config/units.ts";
import { VERSION } from "../../config/version.ts";
import { copyDatabase } from "../../db/engine/copy.ts";
import { DATABASES } from "../../db/files.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { digestOf } from "../../lib/filedigest.ts";
import { syncFile } from "../../lib/syncfile.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { describeFileError } from "../process/fileerror.ts";
import { printLine, printNote } from "../terminal/output.ts";
import { type BackupManifest, MANIFEST_FILE } from "./manifest.ts";

interface BackupOptions {
  settings: Pick<Settings, "home" | "tlsCert" | "tlsKey" | "tlsCa">;
  /** Where it is written, absolute. */
  file: string;
  /** With the history of requests, which may be large. */
  history: boolean;
  /** Take the place of a file that is there. */
  force: boolean;
}

/**
 * The plain files of a data folder that a backup has. The audit log's head comes before its
 * database: it may be behind that, never ahead.
 */
const FILES = ["config.json", "secret.key", "node.json", "login.json", "audit.head"];

/**
 * Writes what a data folder knows into one file that only its owner can read, also while llmlb runs
 * from it: each database as it is at one moment. Models and logs are left out. Throws `CliError`,
 * and leaves no file behind, if it cannot.
 */
export async function backUp(options: BackupOptions): Promise<ExitCode> {
  const { file, force } = options;
  refusePlace(file, force);
  const staging = await stagingIn(file);
  try {
    const manifest = await collect(options, staging);
    const whole = `${staging}/backup`;
    await writeArchive(staging, manifest, whole);
    await (force ? rename(whole, file) : putNew(whole, file));
    tell(options, manifest, Bun.file(file).size);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === "EEXIST" ? "there is such a file" : describeFileError(cause);
    throw new CliError(`Writing ${file} failed: ${reason}.`, EXIT.error, cause);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return EXIT.ok;
}

/** Throws `CliError` where no backup can be put: only a plain file is replaced, never a device. */
function refusePlace(file: string, force: boolean): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (there.isDirectory()) {
    const example = join(file, "llmlb.backup");
    throw new CliError(`Writing ${file} failed: it is a folder. Name a file, such as ${example}.`);
  }
  if (!there.isFile()) throw new CliError(`Writing ${file} failed: it is no plain file.`);
  if (!force) {
    throw new CliError(`Writing ${file} failed: there is such a file. --force replaces it.`);
  }
}

/** A folder beside the backup, that only this user can read: its disk has to have the room. */
async function stagingIn(file: string): Promise<string> {
  const folder = dirname(file);
  try {
    return await mkdtemp(join(folder, ".llmlb-backup-"));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const reason = isMissing ? `there is no folder ${folder}` : describeFileError(cause);
    throw new CliError(`Writing ${file} failed: ${reason}.`, EXIT.error, cause);
  }
}

/** Another process may have made the file meanwhile: it is not replaced. */
async function putNew(whole: string, file: string): Promise<void> {
  try {
    await link(whole, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EPERM") throw cause;
    await rename(whole, file); // A file system without links, as USB sticks have.
  }
}

async function collect(
  { settings, history }: BackupOptions,
  staging: string,
): Promise<BackupManifest> {
  const { home } = settings;
  const files: BackupManifest["files"] = [];
  for (const name of [...FILES, ...certificatesIn(settings)]) {
    const path = join(home, name);
    if (!existsSync(path)) continue;
    await copyFile(path, join(staging, name));
    files.push({ name, ...(await digestOf(join(staging, name))) });
  }
  for (const name of Object.keys(DATABASES)) {
    const from = join(home, name);
    if (!existsSync(from) || (name === "history.db" && !history)) continue;
    const to = join(staging, name);
    const schema = copyOrExplain(from, to);
    files.push({ name, ...(await digestOf(to)), schema });
  }
  if (files.length === 0) {
    throw new CliError(`There is nothing to back up in ${home}: no llmlb has run from it.`);
  }
  return { format: 1, llmlb: VERSION, created_at: new Date().toISOString(), files };
}

function copyOrExplain(from: string, to: string): number {
  try {
    return copyDatabase({ from, to });
  } catch (cause) {
    // It is the backup's own disk.
    if ((cause as { code?: unknown }).code === "SQLITE_FULL") throw cause;
    throw new CliError(`Copying ${from} failed: ${errorMessage(cause)}`, EXIT.error, cause);
  }
}

async function writeArchive(
  staging: string,
  manifest: BackupManifest,
  path: string,
): Promise<void> {
  await writeFile(join(staging, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  const names = [MANIFEST_FILE, ...manifest.files.map(({ name }) => name)];
  for (const name of names) await chmod(join(staging, name), 0o600);
  const archive = { file: path, mode: 0o600, gzip: { level: 6 } };
  await create({ cwd: staging, portable: true, ...archive }, names);
  await syncFile(path);
}

/** The names of the certificate's files that lie in the data folder itself. */
function certificatesIn({ home, tlsCert, tlsKey, tlsCa }: BackupOptions["settings"]): string[] {
  const paths = [tlsCert, tlsKey, tlsCa].filter((path) => path !== null);
  const names = paths.filter((path) => dirname(path) === home).map((path) => basename(path));
  return [...new Set(names)].filter((name) => !FILES.includes(name));
}

function tell(
  { settings, file, history }: BackupOptions,
  manifest: BackupManifest,
  size: number,
): void {
  const names = manifest.files.map(({ name }) => name).join(", ");
  printLine(`${file} (${formatBytes(size)}): ${names}`);
  if (manifest.files.some(({ name }) => name === "secret.key")) {
    printNote("It holds the key of all stored secrets: keep it as safe as the data folder itself.");
  }
  const { home, tlsCert, tlsKey, tlsCa } = settings;
  const outside = [tlsCert, tlsKey, tlsCa].filter(
    (path) => path !== null && dirname(path) !== home,
  );
  const left = ["models", "logs", ...(history ? [] : ["the history"]), ...outside];
  printNote(`Not in it: ${left.join(", ")}.`);
}
