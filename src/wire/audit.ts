import { z } from "zod";

/** What a record of the audit log tells of. */
export const AUDIT_ACTIONS = [
  ...["change", "failed", "login", "logout", "login_failed"],
  ...["refused", "interrupted", "system"],
] as const;

/** A record of the audit log, in the API's answers. Times are RFC 3339. */
export const AuditRecordView = z.object({
  /** From 1, without gaps. */
  seq: z.int(),
  time: z.string(),
  /**
   * `change`, `failed` (a change that came to nothing), `login`, `logout`, `login_failed`,
   * `refused`, `interrupted` (llmlb ended before the change did), `system` (llmlb itself).
   */
  action: z.string(),
  /** As it is registered: `PATCH /api/keys/:id`; null where none was reached. */
  route: z.string().nullable(),
  path: z.string().nullable(),
  /** What was changed is called so. */
  subject: z.string().nullable(),
  /** Names of the changed fields (`changed`), the code of a refusal (`code`) … */
  details: z.record(z.string(), z.unknown()).nullable(),
  /** `anonymous`, `key`, `session`, `local` (the commands of its home), or `system`. */
  actor_kind: z.string(),
  user_id: z.string().nullable(),
  user_name: z.string().nullable(),
  key_id: z.string().nullable(),
  key_name: z.string().nullable(),
  address: z.string().nullable(),
  status: z.number().nullable(),
  request_id: z.string().nullable(),
  /** How often it happened. */
  count: z.int(),
  /** Covers all other fields and the MAC of the record before. */
  mac: z.string(),
});
export type AuditRecordView = z.infer<typeof AuditRecordView>;

/** `GET /api/audit`: newest first. */
export const AuditPage = z.object({
  records: z.array(AuditRecordView),
  /** The `cursor` of the next page; null: this was the last one. */
  next_cursor: z.string().nullable(),
});
export type AuditPage = z.infer<typeof AuditPage>;

/** `POST /api/audit/verify`: whether the log is as it was written. */
export const AuditVerdict = z.object({
  valid: z.boolean(),
  records_checked: z.int(),
  /** The number of the first record that is missing or wrong. */
  first_bad: z.int().optional(),
  reason: z.string().optional(),
  /** The last record that was right. Kept elsewhere, it proves later that this one was there. */
  head: z.object({ seq: z.int(), mac: z.string() }),
  /** Records up to this one were deleted for their age; 0: none were. */
  pruned_up_to: z.int(),
});
export type AuditVerdict = z.infer<typeof AuditVerdict>;

/** `POST /api/audit/verify`; no body is needed. */
export const VerifyBody = z.strictObject({
  /** The `head` of an earlier answer: that record must still be there. */
  since: z.object({ seq: z.int().min(1), mac: z.string().max(100) }).optional(),
});
export type VerifyBody = z.infer<typeof VerifyBody>;
