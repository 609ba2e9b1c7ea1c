import { join } from "node:path";
import { errorMessage } from "../lib/errormessage.ts";
import { auditPath } from "./audit/file.ts";
import { AUDIT_MIGRATIONS } from "./audit/schema.ts";
import { type FileReport, inspectFile, type Query } from "./engine/inspect.ts";
import { HISTORY_MIGRATIONS } from "./history/migrations.ts";
import { STATE_MIGRATIONS } from "./state/migrations.ts";
import { readSecretKey, type SecretKey } from "./state/secretkey.ts";

/** What a look at the stored state found. */
export interface StateReport {
  /** By the file's name; a file that there is none of yet is left out. */
  files: Record<string, FileReport>;
  /** Undefined: the stored keys of endpoints could not be looked at. */
  keys: KeyReport | undefined;
}

/** Whether `secret.key` opens the stored API keys. */
export interface KeyReport {
  stored: number;
  /** The names of endpoints whose keys it does not open. */
  unreadable: string[];
  /** What is wrong with the file itself. */
  problem?: string;
}

/** Looks at the databases and the secret in a data folder; changes nothing. */
export function inspectState(home: string): StateReport {
  let keys: KeyReport | undefined;
  const readKeys = (query: Query) => {
    keys = inspectKeys(home, query);
  };
  const found = {
    "lb.db": inspectFile(join(home, "lb.db"), STATE_MIGRATIONS, readKeys),
    "history.db": inspectFile(join(home, "history.db"), HISTORY_MIGRATIONS),
    "audit.db": inspectFile(auditPath(home), AUDIT_MIGRATIONS),
  };
  const files = Object.entries(found).filter((entry): entry is [string, FileReport] => !!entry[1]);
  return { files: Object.fromEntries(files), keys };
}

interface SealedKey {
  id: string;
  name: string;
  api_key: Uint8Array;
}

function inspectKeys(home: string, query: Query): KeyReport {
  // A file of which nothing was made yet has no tables.
  const [table] = query("SELECT 1 FROM sqlite_schema WHERE name = 'endpoints'");
  const rows =
    table === undefined
      ? []
      : (query("SELECT id, name, api_key FROM endpoints WHERE api_key NOT NULL") as SealedKey[]);
  const stored = rows.length;
  try {
    const secret = readSecretKey(home);
    const unreadable = rows.filter((row) => !opens(secret, row)).map(({ name }) => name);
    return { stored, unreadable };
  } catch (cause) {
    return { stored, unreadable: [], problem: errorMessage(cause) };
  }
}

function opens(secret: SecretKey | undefined, { id, api_key }: SealedKey): boolean {
  try {
    return secret?.open(api_key, id) !== undefined;
  } catch {
    return false; // It was sealed with another key.
  }
}
