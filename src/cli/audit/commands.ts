import type { Command } from "commander";
import { AUDIT_ACTIONS } from "../../wire/audit.ts";
import { addClientCommand, type ClientFlags, connect, loadClient } from "../client/options.ts";
import { requireCount, set, timeOf } from "../history/query.ts";
import type { Invocation } from "../invocation.ts";
import { CliError, EXIT } from "../process/exit.ts";

const EXAMPLES = `
Examples:
  llmlb audit list --actor ada --from 7d         what she changed in the last week
  llmlb audit list --action login_failed
  llmlb audit list --route /api/keys --json
  llmlb audit list --export csv > audit.csv
  llmlb audit verify                             status 1 if it was tampered with
  llmlb audit verify --since 812:Yx3…            and if record 812 is not the one it was

Reading it takes the permission audit.read. verify works while llmlb is stopped, too.`;

interface ListFlags extends ClientFlags {
  actor?: string;
  action?: string;
  route?: string;
  status?: string;
  address?: string;
  from?: string;
  to?: string;
  limit?: string;
  export?: string;
}

interface VerifyFlags extends ClientFlags {
  since?: string;
}

/** Adds `llmlb audit list` and `llmlb audit verify`. */
export function addAuditCommands(program: Command, invocation: Invocation): void {
  const audit = program
    .command("audit")
    .description("Show who changed what, who logged in, who was refused; check that it is whole")
    .helpGroup("Look after:")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  addList(audit, invocation);
  addVerify(audit, invocation);
}

function addList(audit: Command, invocation: Invocation): void {
  addClientCommand(audit, "list", "Show records, the newest first")
    .option("--actor <name>", "Only of this user or key (name or id), or kind, e.g. local")
    .option("--action <action>", AUDIT_ACTIONS.join(", "))
    .option("--route <route>", 'Only "PATCH /api/keys/:id", or paths that begin with /api/keys')
    .option("--status <number>", "Only answers with this status, e.g. 403")
    .option("--address <address>", "Only from this address")
    .option("--from <time>", "Not before: 2h, 7d, 2026-01-31 or 2026-01-31T12:00:00Z")
    .option("--to <time>", "Not after; a day counts as a whole")
    .option("--limit <number>", "At most so many (default 20)")
    .option("--export <format>", "Write all of them: csv or json")
    .action(async (flags: ListFlags) => {
      const { exportAudit, listAudit } = await import("./list.ts");
      const { actor, action, route, status, address, limit } = flags;
      const query = new URLSearchParams();
      set(query, { actor, action, route, status, address });
      set(query, { from: timeOf("--from", flags.from), to: timeOf("--to", flags.to) });
      if (flags.export === undefined) {
        requireCount("--limit", limit);
        query.set("limit", limit ?? "20");
        invocation.exitCode = await listAudit(connect(flags), query);
        return;
      }
      if (limit !== undefined) {
        throw new CliError("--limit: --export writes all records; choose by --from", EXIT.usage);
      }
      query.set("format", flags.export);
      invocation.exitCode = await exportAudit(connect(flags), query);
    });
}

function addVerify(audit: Command, invocation: Invocation): void {
  addClientCommand(audit, "verify", "Check that no record was changed, added or deleted")
    .option("--since <seq:mac>", "Also that this record is there, which verify told earlier")
    .action(async (flags: VerifyFlags) => {
      const { isOffline, verifyAudit, verifyHome } = await import("./verify.ts");
      const { since, ...client } = flags;
      const { settings, client: given } = loadClient(client);
      invocation.exitCode = isOffline(settings.home, given.url)
        ? await verifyHome(settings.home, { since, json: flags.json === true })
        : await verifyAudit(connect(client), since);
    });
}
