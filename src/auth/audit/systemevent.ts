import type { AuditEvent } from "../../db/audit/record.ts";

/** Something that llmlb itself did or found. */
export function systemEvent(subject: string, details: object): AuditEvent {
  return {
    ...{ time: Date.now(), action: "system", actorKind: "system", subject },
    details: JSON.stringify(details),
    ...{ route: null, path: null, status: null, requestId: null, address: null, count: 1 },
    ...{ userId: null, userName: null, keyId: null, keyName: null },
  };
}
