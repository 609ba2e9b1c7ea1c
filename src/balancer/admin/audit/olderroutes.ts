import { z } from "zod";
import type { AuditLog } from "../../../auth/audit/auditlog.ts";
import type { AuditFilter } from "../../../db/audit/filter.ts";
import type { AuditRecord } from "../../../db/audit/record.ts";
import type { App } from "../../../http/server/app.ts";
import { readQuery } from "../../../http/server/query.ts";
import { requireOrder, SELECTION } from "../history/filter.ts";

export const OlderAuditQuery = z.strictObject({
  /** `user`, `api_key` or `anonymous`. */
  actor_type: z.enum(["user", "api_key", "anonymous"]).optional(),
  actor_id: z.string().min(1).optional(),
  status_code: z.coerce.number().pipe(z.int()).optional(),
  request_path: z.string().min(1).optional(),
  ip: z.string().min(1).optional(),
  ...{ time_from: SELECTION.from, time_to: SELECTION.to },
  // There is one log, and it is JSON.
  ...{ include_archive: z.string().optional(), format: z.enum(["json"]).optional() },
  page: z.coerce.number().pipe(z.int().min(1).max(100_000)).default(1),
  per_page: z.coerce.number().pipe(z.int().min(1).max(200)).default(50),
});

const KINDS = { user: "session", api_key: "key", anonymous: "anonymous" } as const;

/** The audit log as earlier dashboards ask for it, by the number of a page. */
export function routeOlderAudit(app: App, log: AuditLog): void {
  for (const base of ["/api/dashboard/audit-logs", "/v0/dashboard/audit-logs"]) {
    app.get(base, async (c) => {
      const { page, per_page, ...query } = readQuery(c, OlderAuditQuery);
      const filter = filterOf(query);
      const table = log.requireTable();
      const offset = (page - 1) * per_page;
      const { records } = await table.page(filter, { limit: per_page, offset });
      const total = await table.count(filter);
      return c.json({ items: records.map(olderView), total, page, per_page });
    });

    app.post(`${base}/verify`, async (c) => {
      const { fault, checked } = await log.verify();
      return c.json({
        ...{ valid: fault === undefined, batches_checked: checked },
        tampered_batch: fault?.seq ?? null,
        message:
          fault?.reason ?? (checked === 0 ? "No batches to verify" : "All records are whole"),
      });
    });
  }
}

function filterOf(query: Omit<z.infer<typeof OlderAuditQuery>, "page" | "per_page">): AuditFilter {
  const { actor_type, actor_id, status_code, request_path, ip, time_from, time_to } = query;
  requireOrder(time_from, time_to, ["time_from", "time_to"]);
  return {
    ...(actor_type !== undefined && { actorKind: KINDS[actor_type] }),
    ...(actor_id !== undefined && { actor: actor_id }),
    ...(status_code !== undefined && { status: status_code }),
    ...(request_path !== undefined && { route: request_path }),
    ...(ip !== undefined && { address: ip }),
    ...(time_from !== undefined && { from: time_from }),
    ...(time_to !== undefined && { until: time_to }),
  };
}

function olderView(record: AuditRecord): object {
  const { seq: id, time, route, path, status, actorKind, userId, userName, keyId } = record;
  const kind = Object.entries(KINDS).find(([, own]) => own === actorKind)?.[0] ?? actorKind;
  const isKey = actorKind === "key";
  return {
    ...{ id, timestamp: new Date(time).toISOString() },
    ...{ http_method: route?.split(" ")[0] ?? null, request_path: path, status_code: status },
    ...{ actor_type: kind, actor_id: isKey ? keyId : userId, actor_username: userName },
    api_key_owner_id: isKey ? userId : null,
    ...{ client_ip: record.address, detail: record.details },
  };
}
