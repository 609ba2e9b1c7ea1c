import { z } from "zod";
import type { State } from "../../../db/database.ts";
import type { RequestFilter } from "../../../db/history/requestfilter.ts";
import type { App } from "../../../http/server/app.ts";
import { readQuery } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import { ApiError } from "../../../wire/error.ts";
import { type RequestPage, RequestView } from "../../../wire/history.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { cursorOf, placeOfCursor } from "./cursor.ts";
import { EXPORT_FORMATS, exportResponse } from "./export.ts";
import { FILTER, filterOf } from "./filter.ts";
import { requestDetail, requestViews } from "./view.ts";
import { type Visibility, visibilityOf } from "./visibility.ts";

export interface HistoryRouteParts {
  state: State;
  pool: UpstreamPool;
}

const LIMIT_MAX = 1000;

/** What stands for all requests where the id of one could stand. */
export const EXPORT = "export";

export const RequestQuery = z.strictObject({
  ...FILTER,
  limit: z.coerce.number().pipe(z.int().min(1).max(LIMIT_MAX)).default(50),
  cursor: z.string().max(100).optional(),
  /** The `latest` of another answer: what was recorded since is wanted. */
  after: z.coerce
    .number("it must be the `latest` of another answer")
    .pipe(z.int().min(0))
    .optional(),
  /** Counting takes longer than a page does. */
  count: z.stringbool("it must be true or false").default(false),
});

const RequestExportQuery = z.strictObject({
  ...FILTER,
  format: z.enum(EXPORT_FORMATS, "it must be csv or json").default("csv"),
});

const COLUMNS = Object.keys(RequestView.shape) as (keyof RequestView)[];

/** Reading the history, under `/api/requests` and `/v0/requests`. */
export function routeRequests(app: App, parts: HistoryRouteParts): void {
  const { state } = parts;

  async function list(c: AppContext) {
    const { limit, cursor, after, count, ...query } = readQuery(c, RequestQuery);
    const filter = await filterOf(parts, query, visibilityOf(c));
    const { records, ...places } =
      after === undefined
        ? await newest(filter, limit, cursor)
        : await recordedSince(filter, limit, after);
    const page: RequestPage = {
      requests: await requestViews(state, records),
      ...places,
      ...(count ? { total: await state.requests.count(filter) } : {}),
    };
    return c.json(page);
  }

  async function newest(filter: RequestFilter, limit: number, cursor: string | undefined) {
    const place = cursor === undefined ? {} : { after: placeOfCursor(cursor) };
    // Before the page: what is recorded in between comes twice rather than never.
    const latest = await state.requests.latest();
    const { records, next } = await state.requests.page(filter, { limit, ...place });
    return { records, latest, next_cursor: next === undefined ? null : cursorOf(next) };
  }

  async function recordedSince(filter: RequestFilter, limit: number, after: number) {
    const { records, seq } = await state.requests.since(filter, after, limit);
    return { records, latest: seq, next_cursor: null };
  }

  async function show(c: AppContext) {
    const id = c.req.param("id") ?? "";
    const visibility = visibilityOf(c);
    const row = await written(
      state,
      async () => (await state.requests.get(id, visibility)) ?? (await ofAnswer(id, visibility)),
    );
    if (row === undefined) throw requestNotFound(id);
    return c.json(await requestDetail(state, row, visibility === undefined));
  }

  /** The newest request whose answer had this `x-request-id`: that is what clients know. */
  async function ofAnswer(requestId: string, visibility: Visibility) {
    const { records } = await state.requests.page({ requestId, ...visibility }, { limit: 1 });
    return records[0] === undefined ? undefined : await state.requests.get(records[0].id);
  }

  async function exportAll(c: AppContext) {
    const { format, ...query } = readQuery(c, RequestExportQuery);
    const filter = await filterOf(parts, query, visibilityOf(c));
    const pages = viewPages(state, filter);
    return exportResponse(c, { format, columns: COLUMNS, pages });
  }

  for (const base of ["/api/requests", "/v0/requests"]) {
    app.get(base, list);
    // One route for both: Hono's fast router takes no other beside a parameter.
    app.get(`${base}/:id`, (c) => (c.req.param("id") === EXPORT ? exportAll(c) : show(c)));
  }
}

/** What `find` finds; for what has only just ended it looks again once that is written. */
export async function written<T>(
  { writes }: State,
  find: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = await find();
  if (found !== undefined) return found;
  await writes.flush();
  return find();
}

/** The error for a request that is not in the history, or not one's own. */
export function requestNotFound(id: string): ApiError {
  const message = `The request ${id.slice(0, 100)} is not in the history: it never was, it is too \
old, or it is somebody else's.`;
  return new ApiError("not_found", message, { code: "request_not_found", param: "id" });
}

async function* viewPages(state: State, filter: RequestFilter): AsyncGenerator<RequestView[]> {
  for await (const rows of state.requests.pages(filter)) yield requestViews(state, rows);
}
