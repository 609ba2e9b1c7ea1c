import { existsSync } from "node:fs";
import { mkdir, rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { BESIDE_DATABASE, DATABASES } from "../../db/files.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { BackupManifest } from "./manifest.ts";

interface Replacement {
  /** The data folder. */
  home: string;
  /** Where the backup is unpacked, on the same file system. */
  staging: string;
  manifest: Pick<BackupManifest, "files">;
  /** Also where something is already. */
  force: boolean;
}

/**
 * Moves what the backup replaces into a folder of its own, which it returns, and the backup's files
 * to their places. Where a move fails, those before are undone. Throws `CliError`.
 */
export async function replaceFiles(replacement: Replacement): Promise<string | undefined> {
  const { home, staging, manifest } = replacement;
  const there = replacedFiles(replacement);
  const aside = join(home, `before-restore-${new Date().toISOString().replace(/[:.]/g, "-")}`);
  const moves: [from: string, to: string][] = [
    ...there.map((name): [string, string] => [join(home, name), join(aside, name)]),
    ...manifest.files.map(({ name }): [string, string] => [join(staging, name), join(home, name)]),
  ];
  const done: typeof moves = [];
  try {
    if (there.length > 0) await mkdir(aside, { mode: 0o700 });
    for (const [from, to] of moves) {
      await rename(from, to);
      done.push([from, to]);
    }
  } catch (cause) {
    for (const [from, to] of done.reverse()) await rename(to, from);
    if (there.length > 0) await rmdir(aside).catch(() => undefined);
    const reason = `${errorMessage(cause)}. Nothing was changed.`;
    throw new CliError(`Restoring into ${home} failed: ${reason}`, EXIT.error, cause);
  }
  return there.length > 0 ? aside : undefined;
}

/** What lies in the data folder where the backup has something to say. Throws `CliError`. */
function replacedFiles({ home, manifest: { files }, force }: Replacement): string[] {
  const databases = Object.keys(DATABASES);
  const beside = databases.flatMap((name) => BESIDE_DATABASE.map((end) => name + end));
  const named = files.map(({ name }) => name);
  const names = new Set([...named, ...databases, "audit.head", ...beside]);
  const there = [...names].filter((name) => existsSync(join(home, name)));
  if (there.length === 0 || force) return there;
  throw new CliError(
    `Restoring into ${home} failed: it has ${there.join(", ")}. --force sets them aside; \
--home names another folder.`,
  );
}
