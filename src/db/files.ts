import { AUDIT_MIGRATIONS } from "./audit/schema.ts";
import { HISTORY_MIGRATIONS } from "./history/migrations.ts";
import { STATE_MIGRATIONS } from "./state/migrations.ts";

/** The databases of a data folder, and the newest schema of each that this program knows. */
export const DATABASES: Readonly<Record<string, number>> = {
  "lb.db": STATE_MIGRATIONS.length,
  "history.db": HISTORY_MIGRATIONS.length,
  "audit.db": AUDIT_MIGRATIONS.length,
};

/** What SQLite keeps beside a database that is open, or was when its process ended. */
export const BESIDE_DATABASE = ["-wal", "-shm"] as const;
