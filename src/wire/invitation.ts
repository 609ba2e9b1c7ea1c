import { z } from "zod";
import { NewUserBody } from "./account.ts";
import { ROLES } from "./permission.ts";

/** Invitations of the management API. Times are RFC 3339. */

const HOURS = 72;
const HOURS_MAX = 24 * 365;
const NOTE_CHARS_MAX = 2000;

const time = () => z.iso.datetime({ offset: true });

/** `POST /api/invitations`. */
export const NewInvitationBody = z.strictObject({
  role: z.enum(ROLES).default("viewer"),
  expires_in_hours: z.number().positive().max(HOURS_MAX).default(HOURS),
  note: z.string().max(NOTE_CHARS_MAX).nullable().default(null),
});

/** An invitation without its code. */
export const InvitationView = z.object({
  id: z.string(),
  role: z.enum(ROLES),
  note: z.string().nullable(),
  status: z.enum(["active", "used", "expired", "revoked"]),
  /** Names of users; null: nobody's, or somebody's who is gone. */
  created_by: z.string().nullable(),
  used_by: z.string().nullable(),
  created_at: time(),
  expires_at: time(),
  used_at: time().nullable(),
  revoked_at: time().nullable(),
});
export type InvitationView = z.infer<typeof InvitationView>;

/** A new invitation; its code is shown this once. */
export const MadeInvitationAnswer = InvitationView.extend({ code: z.string() });
export type MadeInvitationAnswer = z.infer<typeof MadeInvitationAnswer>;

export const InvitationList = z.object({ invitations: z.array(InvitationView) });
export type InvitationList = z.infer<typeof InvitationList>;

/** `POST /api/auth/register`. */
export const NewAccountBody = z.object({
  invitation_code: z.string().min(1).max(256),
  username: NewUserBody.shape.username,
  password: z.string().max(10_000),
});
export type NewAccountBody = z.infer<typeof NewAccountBody>;
