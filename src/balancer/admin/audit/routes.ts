import { z } from "zod";
import type { AuditLog } from "../../../auth/audit/auditlog.ts";
import { verdictOf } from "../../../auth/audit/verdict.ts";
import type { AuditFilter } from "../../../db/audit/filter.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { readQuery } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import {
  AUDIT_ACTIONS,
  type AuditPage,
  AuditRecordView,
  type AuditVerdict,
  VerifyBody,
} from "../../../wire/audit.ts";
import { EXPORT_FORMATS, exportResponse } from "../history/export.ts";
import { requireOrder, SELECTION } from "../history/filter.ts";
import { routeOlderAudit } from "./olderroutes.ts";
import { recordView } from "./view.ts";

const Text = z.string().min(1, "it must not be empty").max(500, "it is too long");

const FILTER = {
  /** A user's or key's name or id, or a kind such as `local`. */
  actor: Text.optional(),
  action: z.enum(AUDIT_ACTIONS, `it must be one of ${AUDIT_ACTIONS.join(", ")}`).optional(),
  /** A route (`PATCH /api/keys/:id`), or the beginning of a path (`/api/keys`). */
  route: Text.optional(),
  status: z.coerce
    .number("it must be a status such as 403")
    .pipe(z.int("it must be a status such as 403").min(100).max(599))
    .optional(),
  address: Text.optional(),
  request_id: Text.optional(),
  ...{ from: SELECTION.from, to: SELECTION.to },
};

export const AuditQuery = z.strictObject({
  ...FILTER,
  limit: z.coerce.number().pipe(z.int().min(1).max(1000)).default(50),
  cursor: z.coerce
    .number("it must be the `next_cursor` of another answer")
    .pipe(z.int().min(1))
    .optional(),
});

export const AuditExportQuery = z.strictObject({
  ...FILTER,
  format: z.enum(EXPORT_FORMATS, "it must be csv or json").default("csv"),
});

const COLUMNS = Object.keys(AuditRecordView.shape) as (keyof AuditRecordView)[];
const PAGE_ROWS = 1000;
const BODY_BYTES_MAX = 4096;

/** Who changed what, who logged in, and who was refused: reading it, and checking it. */
export function routeAudit(app: App, log: AuditLog): void {
  app.get("/api/audit", async (c) => {
    const { limit, cursor, ...query } = readQuery(c, AuditQuery);
    const page = await log.requireTable().page(filterOf(query), { limit, before: cursor });
    const next_cursor = page.next === undefined ? null : String(page.next);
    return c.json<AuditPage>({ records: page.records.map(recordView), next_cursor });
  });

  app.get("/api/audit/export", (c: AppContext) => {
    const { format, ...query } = readQuery(c, AuditExportQuery);
    const pages = viewPages(log, filterOf(query));
    return exportResponse(c, { name: "audit_log", format, columns: COLUMNS, pages });
  });

  app.post("/api/audit/verify", async (c) => {
    const { since } = await bodyOf(c);
    return c.json<AuditVerdict>(verdictOf(await log.verify(since)));
  });

  routeOlderAudit(app, log);
}

async function bodyOf(c: AppContext): Promise<VerifyBody> {
  if (c.req.raw.body === null) return {};
  return (await readJson(c, VerifyBody, BODY_BYTES_MAX)).value;
}

type FilterQuery = z.infer<z.ZodObject<typeof FILTER>>;

function filterOf({ to, request_id, ...query }: FilterQuery): AuditFilter {
  requireOrder(query.from, to);
  const given = { ...query, until: to, requestId: request_id };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as AuditFilter;
}

async function* viewPages(log: AuditLog, filter: AuditFilter): AsyncGenerator<AuditRecordView[]> {
  let before: number | undefined;
  do {
    const page = await log.requireTable().page(filter, { limit: PAGE_ROWS, before });
    yield page.records.map(recordView);
    before = page.next;
  } while (before !== undefined);
}
