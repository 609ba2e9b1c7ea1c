import type { Command } from "commander";
import { USAGE_GROUPS, USAGE_PERIODS } from "../../wire/usage.ts";
import { addClientCommand, type ClientFlags, connect } from "../client/options.ts";
import type { Invocation } from "../invocation.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { abortOnInterrupt } from "../process/signals.ts";
import {
  addSelectionOptions,
  requireCount,
  type SelectionFlags,
  selectionQuery,
  set,
} from "./query.ts";

const HISTORY_EXAMPLES = `
Examples:
  llmlb history --status error --from 2h              what failed in the last two hours
  llmlb history --user ada --model qwen --limit 50
  llmlb history --follow --model qwen                 and each one that ends from now on
  llmlb history show req_0192f7                       one request, with its attempts and bodies
  llmlb history --from 2026-01-01 --export csv > january.csv

Everybody sees his own requests; those of others take the permission logs.read.`;

const USAGE_EXAMPLES = `
Examples:
  llmlb usage                                         the last 30 days
  llmlb usage --by day --group model
  llmlb usage --by total --group user --from 2026-01-01 --to 2026-01-31
  llmlb usage --by hour --endpoint gpu1

Times are those of successful requests: half of them took at most the first, 95 of 100 the second.`;

interface HistoryFlags extends SelectionFlags {
  status?: string;
  httpStatus?: string;
  clientIp?: string;
  client?: string;
  requestId?: string;
  limit?: string;
  export?: string;
  follow?: true;
}

/** Adds `llmlb history` and `llmlb usage`. */
export function addHistoryCommands(program: Command, invocation: Invocation): void {
  addHistory(program, invocation);
  addUsage(program, invocation);
}

function addHistory(program: Command, invocation: Invocation): void {
  const description = "Show what was asked: by whom, of which model, and how it went";
  const history = addSelectionOptions(addClientCommand(program, "history", description))
    .helpGroup("Use:")
    .usage("[options]\n       llmlb history show <id>")
    .helpCommand(false)
    .option("--status <status>", "Only success, or only error")
    .option("--http-status <number>", "Only answers with this status, e.g. 429")
    .option("--client-ip <address>", "Only requests from this address")
    .option("--client <program>", "Only those of this program, e.g. OpenAI/Python or curl")
    .option("--request-id <id>", "Only the one whose answer had this x-request-id")
    .option("--limit <number>", "At most so many (default 20)")
    .option("--follow", "Go on with each request that ends, until Ctrl-C")
    .option("--export <format>", "Write all of them: csv or json")
    .addHelpText("after", HISTORY_EXAMPLES)
    .action(async (flags: HistoryFlags) => {
      invocation.exitCode = await runHistory(flags);
    });
  addClientCommand(history, "show", "Show one request, its attempts and bodies")
    .argument("<id>", "Its id, or the x-request-id of its answer")
    .action(async (id: string, _: ClientFlags, command: Command) => {
      const { showRequest } = await import("./history.ts");
      // Flags of the same name are taken by `history` itself.
      const flags = command.optsWithGlobals<ClientFlags>();
      invocation.exitCode = await showRequest(connect(flags), id);
    });
}

async function runHistory(flags: HistoryFlags): Promise<ExitCode> {
  const { exportHistory, followHistory, listHistory } = await import("./history.ts");
  const query = historyQuery(flags);
  if (flags.export !== undefined) {
    if (flags.limit !== undefined || flags.follow !== undefined) {
      throw new CliError("--export writes all requests: choose some by --from", EXIT.usage);
    }
    query.set("format", flags.export);
    return exportHistory(connect(flags), query);
  }
  query.set("limit", flags.limit ?? "20");
  if (flags.follow !== true) return listHistory(connect(flags), query);
  return followHistory(connect(flags), query, abortOnInterrupt(EXIT.interrupted));
}

interface UsageFlags extends SelectionFlags {
  by?: string;
  group?: string;
}

function addUsage(program: Command, invocation: Invocation): void {
  const description = "Show how much was used: requests, tokens, cost and times";
  addSelectionOptions(addClientCommand(program, "usage", description))
    .helpGroup("Use:")
    .option("--by <period>", `${USAGE_PERIODS.join(", ")} (default day)`)
    .option("--group <what>", USAGE_GROUPS.join(", "))
    .addHelpText("after", USAGE_EXAMPLES)
    .action(async (flags: UsageFlags) => {
      const { printUsage } = await import("./usage.ts");
      const { by, group } = flags;
      requireOneOf("--by", by, USAGE_PERIODS);
      requireOneOf("--group", group, USAGE_GROUPS);
      const query = selectionQuery(flags);
      set(query, { by, group });
      invocation.exitCode = await printUsage(connect(flags), query);
    });
}

function historyQuery(flags: HistoryFlags): URLSearchParams {
  const { status, httpStatus, clientIp, client, requestId, limit } = flags;
  requireOneOf("--status", status, ["success", "error"]);
  requireOneOf("--export", flags.export, ["csv", "json"]);
  requireCount("--limit", limit);
  const query = selectionQuery(flags);
  set(query, { status, http_status: httpStatus, client_ip: clientIp, client });
  set(query, { request_id: requestId });
  return query;
}

function requireOneOf(flag: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new CliError(`${flag} ${value}: must be one of ${allowed.join(", ")}`, EXIT.usage);
}
