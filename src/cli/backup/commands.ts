import { resolve } from "node:path";
import type { Command } from "commander";
import { environment } from "../../config/environment.ts";
import { loadSettings } from "../../config/precedence.ts";
import type { Invocation } from "../invocation.ts";

const BACKUP_NOTES = `
It has what is configured and known (endpoints, models, keys, users, limits), the history, the audit
log, config.json, secret.key, and certificates that lie in the data folder. llmlb may run meanwhile.
Only its owner can read it. Models are not in it: nodes fetch them again.

Examples:
  llmlb backup ~/llmlb-$(date +%F).backup
  llmlb backup --no-history --force nightly.backup`;

const RESTORE_NOTES = `
All of it is checked before anything is changed. What was there is set aside, not deleted.

Example:
  llmlb stop && llmlb restore --force nightly.backup && llmlb`;

interface BackupFlags {
  home?: string;
  history: boolean;
  force?: true;
}

/** Adds `llmlb backup` and `restore`. */
export function addBackupCommands(program: Command, invocation: Invocation): void {
  program
    .command("backup")
    .helpGroup("Look after:")
    .description("Write all that llmlb knows into one file, also while it runs")
    .argument("<file>", "The file to write")
    .option("--no-history", "Leave out the history of requests, which may be large")
    .option("--force", "Replace a file that is there")
    .option("--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]")
    .addHelpText("after", BACKUP_NOTES)
    .action(async (file: string, { home, history, force }: BackupFlags) => {
      const { settings } = loadSettings({ flags: home ? { home } : {}, env: environment() });
      const { backUp } = await import("./backup.ts");
      const options = { settings, file: resolve(file), history, force: force === true };
      invocation.exitCode = await backUp(options);
    });
  program
    .command("restore")
    .helpGroup("Look after:")
    .description("Put a backup into the data folder, while nothing runs from it")
    .argument("<file>", "What llmlb backup has written")
    .option("--force", "Replace what is there; it is set aside")
    .option("--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]")
    .addHelpText("after", RESTORE_NOTES)
    .action(async (file: string, { home, force }: BackupFlags) => {
      const { settings } = loadSettings({ flags: home ? { home } : {}, env: environment() });
      const { restore } = await import("./restore.ts");
      invocation.exitCode = await restore({ settings, file: resolve(file), force: force === true });
    });
}
