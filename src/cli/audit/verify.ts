import { verifyOffline } from "../../auth/audit/offline.ts";
import { verdictOf } from "../../auth/audit/verdict.ts";
import { auditPath } from "../../db/audit/file.ts";
import { AuditVerdict, type VerifyBody } from "../../wire/audit.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson } from "../client/request.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { listPidFiles } from "../process/pidfile.ts";
import { printJson, printLine } from "../terminal/output.ts";

/** Whether the log of a data folder is to be read itself: nobody names a server, none runs. */
export function isOffline(home: string, url: string | undefined): boolean {
  if (url !== undefined || listPidFiles(home).some(({ mode }) => mode !== "node")) return false;
  return Bun.file(auditPath(home)).size > 0;
}

/** Lets a running llmlb check its log, and prints what it found. */
export async function verifyAudit(
  { server, json }: ClientContext,
  since: string | undefined,
): Promise<ExitCode> {
  const body: VerifyBody = since === undefined ? {} : { since: placeOf(since) };
  const options = { method: "POST", body };
  return told(await requestJson(server, "/api/audit/verify", AuditVerdict, options), json);
}

/** Checks the log of a data folder while no llmlb runs from it, and prints what was found. */
export async function verifyHome(
  home: string,
  { since, json }: { since: string | undefined; json: boolean },
): Promise<ExitCode> {
  const known = since === undefined ? undefined : placeOf(since);
  return told(verdictOf(await verifyOffline(home, known)), json);
}

function told(verdict: AuditVerdict, json: boolean): ExitCode {
  const code = verdict.valid ? EXIT.ok : EXIT.error;
  if (json) {
    printJson(verdict);
    return code;
  }
  const { records_checked: checked, head, pruned_up_to: pruned, reason = "" } = verdict;
  if (!verdict.valid) {
    printLine(`The audit log was tampered with, or is damaged. ${reason}`);
    printLine(`The ${checked} records before it are as they were written.`);
    return code;
  }
  const older = pruned === 0 ? "" : ` Those up to ${pruned} were deleted for their age.`;
  printLine(`The audit log is whole: ${checked} records.${older}`);
  printLine(`Its last record: ${head.seq}:${head.mac}`);
  printLine("Keep that elsewhere: with --since it proves later that no older log was put back.");
  return code;
}

function placeOf(text: string): { seq: number; mac: string } {
  const [, seq, mac = ""] = /^(\d{1,15}):([\w-]{43})$/.exec(text) ?? [];
  if (seq !== undefined) return { seq: Number(seq), mac };
  const wanted = "what an earlier verify told, such as 812:Yx3… with 43 characters";
  throw new CliError(`--since ${text}: must be ${wanted}`, EXIT.usage);
}
