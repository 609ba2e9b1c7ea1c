import { formatBytes } from "../../config/units.ts";
import { inspectState, type KeyReport } from "../../db/inspection.ts";
import type { Finding } from "./finding.ts";

/** Most endpoints that are named. */
const NAMES_MAX = 5;

/** Checks that the databases are whole and known, and that `secret.key` opens what is in them. */
export function checkDatabases(home: string): Finding[] {
  const { files, keys } = inspectState(home);
  const findings = Object.entries(files).map(([subject, { sizeBytes, problem }]): Finding => {
    if (problem !== undefined) return { subject, state: "problem", text: problem };
    return { subject, state: "ok", text: `${formatBytes(sizeBytes)}, whole` };
  });
  if (findings.length === 0) {
    return [{ subject: "Databases", state: "ok", text: "none yet, the first start makes them" }];
  }
  return keys === undefined ? findings : [...findings, keyFinding(keys)];
}

function keyFinding({ stored, unreadable, problem }: KeyReport): Finding {
  const subject = "secret.key";
  if (problem !== undefined) return { subject, state: "problem", text: problem };
  if (unreadable.length === 0) {
    const text = stored === 0 ? "no keys of endpoints are stored" : `opens all ${stored} keys`;
    return { subject, state: "ok", text };
  }
  const names = unreadable.slice(0, NAMES_MAX).join(", ");
  const more = unreadable.length > NAMES_MAX ? ` and ${unreadable.length - NAMES_MAX} more` : "";
  const text = `it is not the one with which the keys of these endpoints were stored: ${names}\
${more}. Restore it from a backup, or set the keys again: llmlb endpoint set <name> --key -`;
  return { subject, state: "problem", text };
}
