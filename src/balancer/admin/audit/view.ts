import type { AuditRecord } from "../../../db/audit/record.ts";
import type { AuditRecordView } from "../../../wire/audit.ts";

/** A record as the API shows it. */
export function recordView(record: AuditRecord): AuditRecordView {
  const { seq, action, route, path, subject, address, status, count, mac } = record;
  return {
    ...{ seq, time: timeText(record.time), action, route, path, subject },
    details: detailsIn(record.details),
    actor_kind: record.actorKind,
    ...{ user_id: record.userId, user_name: record.userName },
    ...{ key_id: record.keyId, key_name: record.keyName },
    ...{ address, status, request_id: record.requestId, count, mac },
  };
}

/** Who changed the file may have put anything there. */
function timeText(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}

function detailsIn(text: string | null): AuditRecordView["details"] {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // It was changed, or is too long.
  }
  return { text };
}
