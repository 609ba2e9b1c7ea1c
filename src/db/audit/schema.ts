import type { Migration } from "../engine/store.ts";

/** The tables of the audit log as Kysely sees them. */
export interface AuditSchema {
  audit_records: AuditRecordsTable;
  audit_begun: { id: string; event: string };
  audit_anchor: { id: number; seq: number; mac: string; time: number; seal: string };
}

export interface AuditRecordsTable {
  seq: number;
  time: number;
  action: string;
  route: string | null;
  path: string | null;
  subject: string | null;
  details: string | null;
  actor_kind: string;
  user_id: string | null;
  user_name: string | null;
  key_id: string | null;
  key_name: string | null;
  address: string | null;
  status: number | null;
  request_id: string | null;
  count: number;
  mac: string;
}

/** The schema of the audit log. Append only. */
export const AUDIT_MIGRATIONS: readonly Migration[] = [
  {
    name: "audit log",
    up: `
      CREATE TABLE audit_records (
        seq INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        action TEXT NOT NULL,
        route TEXT,
        path TEXT,
        subject TEXT,
        details TEXT,
        actor_kind TEXT NOT NULL,
        user_id TEXT,
        user_name TEXT,
        key_id TEXT,
        key_name TEXT,
        address TEXT,
        status INTEGER,
        request_id TEXT,
        count INTEGER NOT NULL,
        mac TEXT NOT NULL
      ) STRICT;
      CREATE INDEX audit_by_time ON audit_records (time);

      CREATE TABLE audit_begun (
        id TEXT PRIMARY KEY,
        event TEXT NOT NULL
      ) STRICT;

      CREATE TABLE audit_anchor (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seq INTEGER NOT NULL,
        mac TEXT NOT NULL,
        time INTEGER NOT NULL,
        seal TEXT NOT NULL
      ) STRICT;
    `,
  },
];
