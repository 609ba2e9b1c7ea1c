import { existsSync, readdirSync, rmSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { extract } from "tar";
import { verifyOffline } from "../../auth/audit/offline.ts";
import type { Settings } from "../../config/settings.ts";
import { VERSION } from "../../config/version.ts";
import { BESIDE_DATABASE, DATABASES } from "../../db/files.ts";
import { inspectState } from "../../db/inspection.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { digestOf } from "../../lib/filedigest.ts";
import { lockDataFolder, makeDataFolder } from "../process/datafolder.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { listPidFiles } from "../process/pidfile.ts";
import { printLine, printNote } from "../terminal/output.ts";
import { BackupManifest, MANIFEST_FILE } from "./manifest.ts";
import { replaceFiles } from "./replacefiles.ts";

interface RestoreOptions {
  settings: Pick<Settings, "home">;
  /** The backup, absolute. */
  file: string;
  /** Take the place of what is in the data folder; that is set aside. */
  force: boolean;
}

/**
 * Puts a backup into a data folder from which nothing runs. Everything of it is checked before
 * anything is changed: hashes, databases, whether this program knows their schemas, the audit log.
 * What was there is set aside. Throws `CliError`, with the folder as it was, if it cannot.
 */
export async function restore(options: RestoreOptions): Promise<ExitCode> {
  const { settings, file, force } = options;
  const { home } = settings;
  if (!existsSync(file)) throw new CliError(`Restoring ${file} failed: there is no such file.`);
  requireStopped(home);
  makeDataFolder(settings);
  const lock = lockDataFolder({ home, mode: "balancer", join: null });
  const staging = await mkdtemp(join(home, ".restore-"));
  try {
    const manifest = await unpack(file, staging);
    requireKnown(file, manifest);
    await requireWhole(file, manifest, staging);
    await tellAudit(staging);
    const aside = await replaceFiles({ home, staging, manifest, force });
    printLine(`Restored from ${file}, of ${manifest.created_at} by llmlb ${manifest.llmlb}.`);
    if (aside !== undefined) printNote(`What was there before lies in ${aside}.`);
    printNote("Start llmlb as always. Models that nodes lack are fetched again.");
    return EXIT.ok;
  } finally {
    await rm(staging, { recursive: true, force: true });
    lock?.release();
  }
}

function requireStopped(home: string): void {
  const [running] = listPidFiles(home);
  if (running === undefined) return;
  const { mode, pid } = running;
  const who = `llmlb (${mode}, process ${pid})`;
  throw new CliError(`${who} runs from ${home}. End it first: llmlb stop`);
}

/** Unpacks the files that the manifest names, and nothing else. */
async function unpack(file: string, staging: string): Promise<BackupManifest> {
  const failed = (cause: unknown) =>
    new CliError(
      `Restoring ${file} failed: it is no backup of llmlb, or is damaged (${errorMessage(cause)}).`,
      EXIT.error,
      cause,
    );
  try {
    await extract({
      ...{ file, cwd: staging, strict: true, preserveOwner: false, noMtime: true },
      filter: (path, entry) => {
        const isFile = "type" in entry ? entry.type === "File" || entry.type === "OldFile" : false;
        return isFile && /^\w[\w.-]*$/.test(path);
      },
    });
    const text = await readFile(join(staging, MANIFEST_FILE), "utf8");
    return BackupManifest.parse(JSON.parse(text));
  } catch (cause) {
    throw failed(cause);
  }
}

/** Throws `CliError` for databases of a newer llmlb. */
function requireKnown(file: string, { llmlb, files }: BackupManifest): void {
  for (const { name, schema = 0 } of files) {
    const known = DATABASES[name];
    if (known === undefined || schema <= known) continue;
    throw new CliError(
      `Restoring ${file} failed: it is of llmlb ${llmlb}, whose ${name} is newer (schema \
${schema}) than this llmlb ${VERSION} knows (${known}). Restore it with that one or a newer one.`,
    );
  }
}

async function requireWhole(
  file: string,
  { files }: BackupManifest,
  staging: string,
): Promise<void> {
  for (const { name, size_bytes, sha256 } of files) {
    const path = join(staging, name);
    const found = existsSync(path) ? await digestOf(path) : undefined;
    if (found?.sha256 === sha256 && found.size_bytes === size_bytes) continue;
    const what = found === undefined ? "is missing in it" : "is not what it was: its hash differs";
    throw new CliError(`Restoring ${file} failed: ${name} ${what}. Nothing was changed.`);
  }
  for (const { name } of files) await chmod(join(staging, name), 0o600);
  const { files: databases, keys } = inspectState(staging);
  for (const [name, { problem }] of Object.entries(databases)) {
    if (problem === undefined) continue;
    throw new CliError(`Restoring ${file} failed: ${name}: ${problem.replaceAll(staging, "")}`);
  }
  if (keys?.problem !== undefined || (keys?.unreadable.length ?? 0) > 0) {
    printNote("Some stored keys of endpoints cannot be opened: secret.key is not theirs.");
  }
  // A look at a database leaves these beside it.
  for (const name of readdirSync(staging)) {
    if (BESIDE_DATABASE.some((end) => name.endsWith(end))) rmSync(join(staging, name));
  }
}

async function tellAudit(staging: string): Promise<void> {
  if (!existsSync(join(staging, "audit.db")) || !existsSync(join(staging, "secret.key"))) return;
  const { fault, checked } = await verifyOffline(staging);
  if (fault === undefined) printNote(`The audit log is whole: ${checked} records.`);
  else printNote(`warning: The audit log in it was damaged before. ${fault.reason}`);
}
