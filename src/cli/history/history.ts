import { sleep } from "../../lib/sleep.ts";
import { RequestDetail, RequestPage, type RequestView } from "../../wire/history.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson } from "../client/request.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { countText, localTime, moneyText, tookText } from "../terminal/numbers.ts";
import { printable, printJson, printLine, printNote, printText } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { printExport } from "./export.ts";

const PATH = "/api/requests";
/** How often is asked what is new, and for how many at most. */
const FOLLOW_MS = 1000;
const FOLLOWED_MAX = 1000;
const TITLES = ["TIME", "STATUS", "MODEL", "ENDPOINT", "WHO", "TOKENS", "FIRST", "TOTAL", "ID"];

/** Prints the newest requests that fit. */
export async function listHistory(
  { server, json }: ClientContext,
  query: URLSearchParams,
): Promise<ExitCode> {
  const page = await requestJson(server, `${PATH}?${query}`, RequestPage);
  if (json) return printJson(page);
  if (page.requests.length === 0) {
    printLine("There are no such requests.");
    return EXIT.ok;
  }
  const paint = colorsFor(process.stdout);
  const rows = page.requests.map((one) => rowOf(one, paint));
  for (const line of table([TITLES.map(paint.dim), ...rows])) printLine(line);
  if (page.next_cursor !== null) printNote("There are more: --limit, --to, or --export csv.");
  return EXIT.ok;
}

/** Prints the newest requests that fit, and then each one that is recorded, until interrupted. */
export async function followHistory(
  { server, json }: ClientContext,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<ExitCode> {
  const paint = colorsFor(process.stdout);
  const print = (one: RequestView) => {
    if (json) printText(`${JSON.stringify(one)}\n`);
    else printLine(rowOf(one, paint).join("  "));
  };
  const ask = () => requestJson(server, `${PATH}?${query}`, RequestPage, { signal });
  try {
    let { requests, latest } = await ask();
    for (const one of requests.toReversed()) print(one);
    query.set("limit", String(FOLLOWED_MAX));
    for (;;) {
      await sleep(FOLLOW_MS, signal);
      query.set("after", String(latest));
      ({ requests, latest } = await ask());
      for (const one of requests) print(one);
    }
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  }
}

/** Prints all facts of one request. */
export async function showRequest({ server, json }: ClientContext, id: string): Promise<ExitCode> {
  const one = await requestJson(server, `${PATH}/${encodeURIComponent(id)}`, RequestDetail);
  if (json) return printJson(one);
  const paint = colorsFor(process.stdout);
  printLine(`${paint.bold(printable(one.id))}  ${statusOf(one, paint)}`);
  const facts = factsOf(one).map((row) => row.map(printable));
  for (const line of table(facts, "  ")) printLine(line);
  if (one.attempts.length > 1) {
    printLine("  Attempts");
    const attempts = one.attempts.map(({ endpoint_name, start_ms, error }) => {
      return [printable(endpoint_name), tookOr(start_ms), printable(error ?? "answered")];
    });
    for (const line of table(attempts, "    ")) printLine(line);
  }
  for (const [title, body] of [
    ["Request", one.request_body] as const,
    ["Answer", one.response_body] as const,
  ]) {
    if (body !== null) printLine(`  ${title}\n${printable(body.trimEnd().replace(/^/gm, "    "))}`);
  }
  return EXIT.ok;
}

/** Writes every request that fits to stdout, as CSV or JSON, as it comes. */
export function exportHistory(context: ClientContext, query: URLSearchParams): Promise<ExitCode> {
  return printExport(context, `${PATH}/export?${query}`);
}

function rowOf(one: RequestView, paint: Colors): string[] {
  const who = one.user_name ?? one.api_key_name ?? one.api_key_id ?? one.client_ip ?? "-";
  return [
    localTime(one.started_at),
    statusOf(one, paint),
    printable(one.model) || "-",
    printable(one.endpoint_name ?? "-"),
    printable(who),
    tokensOf(one),
    tookOr(one.first_byte_ms),
    tookText(one.duration_ms),
    one.id,
  ];
}

function statusOf({ status, http_status, error }: RequestView, { green, red }: Colors): string {
  if (status === "success") return green(String(http_status ?? "ok"));
  return red([http_status, error].filter((part) => part !== null).join(" "));
}

function tokensOf({ input_tokens, output_tokens, token_source }: RequestView): string {
  if (input_tokens === null && output_tokens === null) return "-";
  const about = token_source === "estimate" ? "~" : "";
  return `${about}${countText(input_tokens ?? 0)} in, ${about}${countText(output_tokens ?? 0)} out`;
}

function factsOf(one: RequestDetail): string[][] {
  const named = (name: string | null, id: string | null) => {
    if (id === null) return "-";
    return name === null || name === id ? id : `${name} (${id})`;
  };
  const cached = one.cached_tokens === null ? "" : `, ${countText(one.cached_tokens)} cached`;
  const url = one.endpoint_url === null ? "" : `, ${one.endpoint_url}`;
  return [
    ["Request id", one.request_id],
    ["Type", one.request_type + (one.streamed ? ", streamed" : "")],
    ["Model", one.model],
    ["Endpoint", named(one.endpoint_name, one.endpoint_id) + url],
    ["Key", named(one.api_key_name, one.api_key_id)],
    ["User", named(one.user_name, one.user_id)],
    ["Client", [one.client, one.client_ip].filter(Boolean).join(", ") || "-"],
    ["Began", localTime(one.started_at)],
    ...(one.queue_ms === null ? [] : [["Waited", tookText(one.queue_ms)]]),
    ["First byte", tookOr(one.first_byte_ms)],
    ["Took", tookText(one.duration_ms)],
    ["Tokens", tokensOf(one) + cached],
    ...(one.cost === null ? [] : [["Cost", moneyText(one.cost)]]),
  ];
}

function tookOr(ms: number | null): string {
  return ms === null ? "-" : tookText(ms);
}
