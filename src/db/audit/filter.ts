import { type ExpressionBuilder, sql } from "kysely";
import type { AuditSchema } from "./schema.ts";

/** All conditions that are present hold at once. */
export interface AuditFilter {
  /** A user's or key's id or name, or a kind such as `local`. */
  actor?: string;
  actorKind?: string;
  action?: string;
  /** A route as it is registered, or the beginning of a path. */
  route?: string;
  status?: number;
  address?: string;
  requestId?: string;
  /** Unix ms, inclusive. */
  from?: number;
  /** Unix ms, exclusive. */
  until?: number;
}

const ACTORS = ["user_id", "user_name", "key_id", "key_name", "actor_kind"] as const;

/** The conditions of a filter. */
export function auditCondition(
  row: ExpressionBuilder<AuditSchema, "audit_records">,
  { actor, actorKind, action, route, status, address, requestId, from, until }: AuditFilter,
) {
  return row.and([
    ...(from === undefined ? [] : [row("time", ">=", from)]),
    ...(until === undefined ? [] : [row("time", "<", until)]),
    ...(actorKind === undefined ? [] : [row("actor_kind", "=", actorKind)]),
    ...(action === undefined ? [] : [row("action", "=", action)]),
    ...(status === undefined ? [] : [row("status", "=", status)]),
    ...(address === undefined ? [] : [row("address", "=", address)]),
    ...(requestId === undefined ? [] : [row("request_id", "=", requestId)]),
    ...(actor === undefined ? [] : [row.or(ACTORS.map((name) => row(name, "=", actor)))]),
    ...(route === undefined ? [] : [row.or([row("route", "=", route), startsWith("path", route)])]),
  ]);
}

function startsWith(column: string, text: string) {
  return sql<boolean>`substr(${sql.ref(column)}, 1, length(${text})) = ${text}`;
}
