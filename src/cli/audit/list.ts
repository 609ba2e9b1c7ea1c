import { AuditPage, type AuditRecordView } from "../../wire/audit.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson } from "../client/request.ts";
import { printExport } from "../history/export.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { localTime } from "../terminal/numbers.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

const TITLES = ["NO", "TIME", "WHO", "FROM", "ACTION", "WHAT", "DETAILS"];

/** Prints the newest records that fit. */
export async function listAudit(
  { server, json }: ClientContext,
  query: URLSearchParams,
): Promise<ExitCode> {
  const page = await requestJson(server, `/api/audit?${query}`, AuditPage);
  if (json) return printJson(page);
  if (page.records.length === 0) {
    printLine("There are no such records.");
    return EXIT.ok;
  }
  const paint = colorsFor(process.stdout);
  const rows = page.records.map((record) => rowOf(record, paint));
  for (const line of table([TITLES.map(paint.dim), ...rows])) printLine(line);
  if (page.next_cursor !== null) printNote("There are more: --limit, --to, or --export csv.");
  return EXIT.ok;
}

/** Writes every record that fits to stdout, as CSV or JSON, as it comes. */
export function exportAudit(context: ClientContext, query: URLSearchParams): Promise<ExitCode> {
  return printExport(context, `/api/audit/export?${query}`);
}

function rowOf(record: AuditRecordView, { green, red }: Colors): string[] {
  const { seq, time, action, count, status } = record;
  const isGood = ["change", "login", "logout", "system"].includes(action);
  const told = [action, status === null || isGood ? "" : String(status)].filter(Boolean).join(" ");
  const times = count === 1 ? "" : ` (${count} times)`;
  return [
    String(seq),
    localTime(time),
    printable(whoOf(record)),
    printable(record.address ?? "-"),
    (isGood ? green : red)(printable(told)) + times,
    printable(whatOf(record)),
    printable(detailsText(record)),
  ];
}

function whoOf({ user_name, key_name, key_id, actor_kind }: AuditRecordView): string {
  const key = key_name ?? key_id;
  if (user_name === null) return key ?? actor_kind;
  return key === null ? user_name : `${user_name} (key ${key})`;
}

function whatOf({ route, path, subject }: AuditRecordView): string {
  const method = route?.split(" ")[0];
  const asked = path === null ? "" : [method, path].filter(Boolean).join(" ");
  return [asked, subject].filter(Boolean).join("  ");
}

function detailsText({ details }: AuditRecordView): string {
  return Object.entries(details ?? {})
    .map(([name, value]) => {
      const text = Array.isArray(value) ? value.join(",") : valueText(value);
      return `${name}=${text}`;
    })
    .join(" ");
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
