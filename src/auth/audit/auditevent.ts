import type { AuditAction, AuditEvent } from "../../db/audit/record.ts";
import { peerOf } from "../../http/server/peer.ts";
import type { ChangeNote, Scope } from "../../http/server/scope.ts";

/** Clients choose paths. */
const PATH_CHARS_MAX = 500;
/** Most names of changed fields that are told. */
const FIELDS_MAX = 30;
/** Fields that say what something is called, the first that is there. */
const NAMES = ["name", "username", "model", "id", "url", "pattern"] as const;
/** Fields whose values are told: they are no secrets, and say who may do what. */
const SHOWN = ["role", "permissions", "expires_at", "revoked", "status", "disabled"] as const;

/** What is to be recorded of a request; `route` is null where none was reached. */
export function eventOf(
  scope: Scope,
  { action, route, status }: { action: AuditAction; route: string | null; status: number | null },
): AuditEvent {
  const principal = scope.get("principal");
  const note = scope.get("change");
  const user = note?.user ?? principal?.user;
  const isAnonymous = (principal?.kind ?? "anonymous") === "anonymous";
  return {
    ...{ time: Date.now(), action, route, status, count: 1 },
    path: scope.req.path.slice(0, PATH_CHARS_MAX),
    // What somebody unknown sends in vain may be anything, a password in the wrong field for one.
    subject: note?.subject ?? (isAnonymous && !(Number(status) < 400) ? null : nameIn(note)),
    details: detailsOf(scope, note),
    actorKind: principal?.kind ?? "anonymous",
    userId: user?.id ?? null,
    userName: user?.name ?? null,
    keyId: principal?.keyId ?? null,
    keyName: principal?.key?.name ?? null,
    address: principal?.address ?? peerOf(scope) ?? null,
    requestId: scope.get("requestId"),
  };
}

function nameIn(note: ChangeNote | undefined): string | null {
  const body = fieldsOf(note);
  const found = NAMES.map((name) => body[name]).find((value) => typeof value === "string");
  return typeof found === "string" ? found : null;
}

function detailsOf(scope: Scope, note: ChangeNote | undefined): string | null {
  const body = note?.isLogin === true ? {} : fieldsOf(note);
  const changed = Object.keys(body).filter((name) => body[name] !== undefined);
  const shown = SHOWN.filter((name) => body[name] !== undefined);
  const code = scope.get("failure")?.code;
  const details = {
    ...(code !== undefined && { code }),
    ...(changed.length > 0 && { changed: changed.slice(0, FIELDS_MAX) }),
    ...Object.fromEntries(shown.map((name) => [name, body[name]])),
  };
  return Object.keys(details).length === 0 ? null : JSON.stringify(details);
}

function fieldsOf(note: ChangeNote | undefined): Record<string, unknown> {
  const body = note?.body;
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}
