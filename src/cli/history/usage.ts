import { type UsageNumbers, UsageReport, type UsageRowView } from "../../wire/usage.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson } from "../client/request.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { countText, localTime, moneyText, tookText } from "../terminal/numbers.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

/** Prints how much was used, with the sum of it all, oldest first. */
export async function printUsage(
  { server, json }: ClientContext,
  query: URLSearchParams,
): Promise<ExitCode> {
  const report = await requestJson(server, `/api/usage?${query}`, UsageReport);
  if (json) return printJson(report);
  if (report.rows.length === 0) {
    printLine("Nothing was used in that time.");
    return EXIT.ok;
  }
  const paint = colorsFor(process.stdout);
  const { by, group, totals } = report;
  const hasCost = totals.cost > 0;
  const keys = [...(by === "total" ? [] : [by]), ...(group === null ? [] : [group])];
  const names = keys.length === 0 ? ["total"] : keys;
  const titles = [...names.map((name) => name.toUpperCase()), ...numberTitles(hasCost)];
  // Oldest first, within a period the most requests first; sorting keeps that order.
  const rows = report.rows.toSorted((a, b) => (a.period ?? "").localeCompare(b.period ?? ""));
  const sum = ["total", ...names.slice(1).map(() => ""), ...numbersOf(totals, hasCost)];
  const lines = table([
    titles.map(paint.dim),
    ...rows.map((row) => [...keysOf(row, names), ...numbersOf(row, hasCost)]),
    ...(keys.length === 0 ? [] : [sum.map(paint.bold)]),
  ]);
  for (const line of lines) printLine(line);
  if (report.truncated) printNote("There is more than is shown: choose a shorter time.");
  return EXIT.ok;
}

function numberTitles(hasCost: boolean): string[] {
  const cost = hasCost ? ["COST"] : [];
  return [
    "REQUESTS",
    "FAILED",
    "INPUT",
    "CACHED",
    "OUTPUT",
    ...cost,
    "FIRST P50/P95",
    "TOTAL P50/P95",
  ];
}

function keysOf({ period, group, name }: UsageRowView, names: string[]): string[] {
  const told = name ?? group ?? "";
  return names.map((kind) => {
    if (kind === "hour") return localTime(period ?? "").slice(0, 16);
    if (kind === "day" || kind === "month") return period ?? "";
    return kind === "total" ? "total" : printable(told) || "(none)";
  });
}

function numbersOf(numbers: UsageNumbers, hasCost: boolean): string[] {
  const { requests, failed, input_tokens, cached_tokens, output_tokens } = numbers;
  const { first_byte_ms, duration_ms } = numbers;
  return [
    ...[requests, failed, input_tokens, cached_tokens, output_tokens].map(countText),
    ...(hasCost ? [moneyText(numbers.cost)] : []),
    quantiles(first_byte_ms),
    quantiles(duration_ms),
  ];
}

function quantiles(times: UsageNumbers["duration_ms"]): string {
  return times === null ? "-" : `${tookText(times.p50)} / ${tookText(times.p95)}`;
}
