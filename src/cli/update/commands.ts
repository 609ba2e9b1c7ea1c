import type { Command } from "commander";
import { environment } from "../../config/environment.ts";
import { FIELDS } from "../../config/fields.ts";
import { loadSettings } from "../../config/precedence.ts";
import { releaseKeys, releaseVariant } from "../../config/release.ts";
import { VERSION } from "../../config/version.ts";
import { trustAuthorities } from "../../http/client/trust.ts";
import type { Invocation } from "../invocation.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { abortOnInterrupt } from "../process/signals.ts";

const NOTES = `
The release has to be signed with a key that this program has in it. It is fetched beside the
program, tried, and put in its place; servers go on as the new one without a cut, and as the old one
if the new one does not come up.

Examples:
  llmlb update --check
  sudo llmlb update
  llmlb update --feed /media/usb/feed.json     without a network
  llmlb update --rollback`;

interface UpdateFlags {
  check?: true;
  rollback?: true;
  feed?: string;
  home?: string;
  json?: true;
}

/** Adds `llmlb update`. */
export function addUpdateCommand(program: Command, invocation: Invocation): void {
  program
    .command("update")
    .helpGroup("Look after:")
    .description("Replace this program by the newest release; servers go on as that")
    .option("--check", "Only tell whether there is a newer one")
    .option("--rollback", "Go back to the program before the last update")
    .option("--feed <url or file>", `${FIELDS.updateFeed.help} [LLMLB_UPDATE_FEED]`)
    .option("--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]")
    .option("--json", "With --check: JSON")
    .addHelpText("after", NOTES)
    .action(async ({ check, rollback, feed, home, json }: UpdateFlags) => {
      if (check === true && rollback === true) {
        throw new CliError("--check and --rollback: it is one or the other.", EXIT.usage);
      }
      const flags = { ...(home && { home }), ...(feed && { updateFeed: feed }) };
      const { settings } = loadSettings({ flags, env: environment() });
      trustAuthorities(settings.tlsCa);
      const { checkForUpdate, requireExecutable, rollBack, update } = await import("./update.ts");
      const { requireUnmanaged } = await import("./packagemanager.ts");
      const options = {
        program: {
          ...{ path: process.execPath, version: VERSION, keys: releaseKeys() },
          platform: releaseVariant(),
        },
        ...{ home: settings.home, feed: settings.updateFeed },
        signal: abortOnInterrupt(EXIT.interrupted),
      };
      if (check !== true) {
        requireExecutable();
        requireUnmanaged(options.program.path);
      }
      const act = rollback === true ? rollBack : update;
      invocation.exitCode =
        check === true ? await checkForUpdate(options, json === true) : await act(options);
    });
}
