import { z } from "zod";
import type { RequestFilter } from "../../../db/history/requestfilter.ts";
import type { App } from "../../../http/server/app.ts";
import { readQuery } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import { EXPORT_FORMATS, exportResponse } from "./export.ts";
import { FILTER, filterOf, requireOrder } from "./filter.ts";
import { olderDetail, olderLine, olderView, tokenSums } from "./olderview.ts";
import { EXPORT, type HistoryRouteParts, requestNotFound, written } from "./requests.ts";
import { visibilityOf } from "./visibility.ts";

const BASES = ["/api/dashboard", "/v0/dashboard"];
const PAGE_SIZES = [10, 25, 50, 100];
const MINUTES = 60;
const MINUTE_MS = 60_000;

/** Numbers that make no sense count as left out, as they always did here. */
const Count = (max: number) =>
  z.coerce.number().pipe(z.int().min(1).max(max)).optional().catch(undefined);

/** Parameters besides these mean nothing here, and never did harm. */
const FilterQuery = z.object({
  ...{ model: FILTER.model, status: FILTER.status, client_ip: FILTER.client_ip },
  ...{ endpoint_id: FILTER.endpoint, node_id: FILTER.endpoint, agent_id: FILTER.endpoint },
  ...{ start_time: FILTER.from, end_time: FILTER.to },
});

export const OlderRequestQuery = z.object({
  ...FilterQuery.shape,
  ...{ page: Count(1e9), per_page: Count(1e9), limit: Count(1000) },
  offset: z.coerce.number().pipe(z.int().min(0)).optional().catch(undefined),
});

const OlderExportQuery = z.object({
  ...FilterQuery.shape,
  format: z.enum(EXPORT_FORMATS, "it must be csv or json").default("csv"),
});

export const DaysQuery = z.object({ days: Count(3660) });
export const MonthsQuery = z.object({ months: Count(120) });

const COLUMNS = [
  ...(["id", "timestamp", "request_type", "model", "runtime_id", "runtime_machine_name"] as const),
  ...(["runtime_ip", "client_ip", "duration_ms", "status", "completed_at"] as const),
];

/**
 * The older paths of history and usage, under `/api/dashboard` and `/v0/dashboard`, in the words
 * that they always had.
 */
export function routeDashboard(app: App, parts: HistoryRouteParts): void {
  const { requests } = parts.state;

  async function filter(c: AppContext, query: z.infer<typeof FilterQuery>): Promise<RequestFilter> {
    const { start_time: from, end_time: to, endpoint_id, node_id, agent_id, ...rest } = query;
    requireOrder(from, to, ["start_time", "end_time"]);
    const endpoint = endpoint_id ?? node_id ?? agent_id;
    return filterOf(parts, { ...rest, endpoint, from, to }, visibilityOf(c));
  }

  async function list(c: AppContext) {
    const { page = 1, per_page = 0, limit, offset, ...query } = readQuery(c, OlderRequestQuery);
    const size = limit ?? PAGE_SIZES.find((one) => one === per_page) ?? 10;
    const skipped = offset ?? (page - 1) * size;
    const wanted = await filter(c, query);
    const { records } = await requests.page(wanted, { limit: size, offset: skipped });
    const total_count = await requests.count(wanted);
    const number = Math.floor(skipped / size) + 1;
    return c.json({ records: records.map(olderView), total_count, page: number, per_page: size });
  }

  async function show(c: AppContext) {
    const id = c.req.param("id") ?? "";
    const visibility = visibilityOf(c);
    const row = await written(parts.state, () => requests.get(id, visibility));
    if (row === undefined) throw requestNotFound(id);
    return c.json(olderDetail(row, visibility === undefined));
  }

  async function exportAll(c: AppContext) {
    const { format, ...query } = readQuery(c, OlderExportQuery);
    const pages = requests.pages(await filter(c, query));
    return format === "csv"
      ? exportResponse(c, { format, columns: COLUMNS, pages: mapped(pages, olderLine) })
      : exportResponse(c, { format, columns: [], pages: mapped(pages, olderView) });
  }

  for (const base of BASES) {
    app.get(`${base}/request-responses`, list);
    app.get(`${base}/request-responses/:id`, (c) =>
      c.req.param("id") === EXPORT ? exportAll(c) : show(c),
    );
  }
  routeStatistics(app, parts);
}

/** What the older dashboards draw: the requests of the last hour, and tokens. */
function routeStatistics(app: App, { state: { requests, usage } }: HistoryRouteParts): void {
  async function minutes(c: AppContext) {
    const last = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const from = last - (MINUTES - 1) * MINUTE_MS;
    const counts = await requests.perMinute({ ...visibilityOf(c), from });
    const byMinute = new Map(counts.map((one) => [one.minute, one]));
    const points = Array.from({ length: MINUTES }, (_, i) => {
      const minute = from + i * MINUTE_MS;
      const { succeeded = 0, failed = 0 } = byMinute.get(minute) ?? {};
      return { minute: new Date(minute).toISOString(), success: succeeded, error: failed };
    });
    return c.json(points);
  }

  async function tokens(c: AppContext, by: "day" | "month", from: number) {
    const filter = { ...visibilityOf(c), from };
    const { rows } = await usage.rows({ by, filter, withTimes: false });
    const name = by === "day" ? "date" : "month";
    return c.json(rows.map((row) => ({ [name]: row.period, ...tokenSums(row) })));
  }

  for (const base of BASES) {
    app.get(`${base}/request-history`, minutes);
    app.get(`${base}/stats/tokens`, async (c) =>
      c.json(tokenSums(await usage.totals(visibilityOf(c), false))),
    );
    app.get(`${base}/stats/tokens/daily`, (c) => {
      const { days = 30 } = readQuery(c, DaysQuery);
      return tokens(c, "day", new Date().setDate(new Date().getDate() - days + 1));
    });
    app.get(`${base}/stats/tokens/monthly`, (c) => {
      const { months = 12 } = readQuery(c, MonthsQuery);
      return tokens(c, "month", new Date().setMonth(new Date().getMonth() - months + 1, 1));
    });
  }
}

async function* mapped<A, B>(pages: AsyncGenerator<A[]>, view: (row: A) => B) {
  for await (const rows of pages) yield rows.map(view);
}
