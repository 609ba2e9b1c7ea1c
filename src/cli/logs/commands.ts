import type { Command } from "commander";
import { SEVERITIES } from "../../lib/logentry.ts";
import { addClientCommand, type ClientFlags, loadClient } from "../client/options.ts";
import { requireCount, set, timeOf } from "../history/query.ts";
import type { Invocation } from "../invocation.ts";
import { EXIT } from "../process/exit.ts";
import { abortOnInterrupt } from "../process/signals.ts";

const EXAMPLES = `
Examples:
  llmlb logs --level warn --since 1h        what went wrong in the last hour
  llmlb logs -f --model qwen3-4b            what is said of a model, and goes on
  llmlb logs --endpoint gpu1 -n 50          the log of a node elsewhere
  llmlb logs --set-level debug              write more from now on, until it ends

Where no llmlb runs, the log's file is read.`;

interface LogsFlags extends ClientFlags {
  lines?: string;
  level?: string;
  model?: string;
  search?: string;
  since?: string;
  endpoint?: string;
  follow?: true;
  setLevel?: string;
}

/** Adds `llmlb logs`. */
export function addLogsCommand(program: Command, invocation: Invocation): void {
  addClientCommand(program, "logs", "Show what a running llmlb, or a node of it, has logged")
    .helpGroup("Look after:")
    .option("-n, --lines <number>", "At most so many (default 200)")
    .option("--level <level>", `The least severe: ${SEVERITIES.join(", ")}`)
    .option("--model <name>", "Only lines about this model")
    .option("--search <text>", "Only lines with this text, in any case")
    .option("--since <time>", "Not before: 10m, 2h, 2026-01-31T12:00:00Z")
    .option("--endpoint <name>", "The log of this endpoint, an llmlb; name or id")
    .option("-f, --follow", "Go on with each new line, until Ctrl-C")
    .option("--set-level <level>", "Write lines of this level and above from now on")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: LogsFlags) => {
      const { followLog, setLogLevel, showLog } = await import("./logs.ts");
      const context = { ...loadClient(flags), json: flags.json === true };
      if (flags.setLevel !== undefined) {
        invocation.exitCode = await setLogLevel(context, flags.setLevel);
        return;
      }
      const query = new URLSearchParams();
      const { lines: limit, level, model, search, endpoint } = flags;
      requireCount("--lines", limit);
      set(query, { limit, level, model, search, since: timeOf("--since", flags.since) });
      const asked = { ...context, query, endpoint };
      invocation.exitCode =
        flags.follow === true
          ? await followLog(asked, abortOnInterrupt(EXIT.interrupted))
          : await showLog(asked);
    });
}
