import type { AuditVerdict } from "../../wire/audit.ts";
import type { Verification } from "./verification.ts";

/** What a check of the audit log found, in the API's terms. */
export function verdictOf({ checked, fault, last, prunedUpTo }: Verification): AuditVerdict {
  return {
    ...{ valid: fault === undefined, records_checked: checked },
    ...(fault?.seq !== undefined && { first_bad: fault.seq }),
    ...(fault !== undefined && { reason: fault.reason }),
    ...{ head: { seq: last.seq, mac: last.mac }, pruned_up_to: prunedUpTo },
  };
}
