import type { InvitationRow, Invitations } from "../db/state/invitations.ts";
import type { UserRow } from "../db/state/users.ts";
import type { Logger } from "../lib/log.ts";
import { ApiError } from "../wire/error.ts";
import { accessIsOff } from "./access.ts";
import type { Accounts } from "./accounts.ts";
import { keyHash, randomText } from "./apikey.ts";
import { hashPassword } from "./password.ts";

interface RegistrationParts {
  accounts: Accounts;
  invitations: Invitations;
  /** Whether everybody must show who he is; else nobody can log in. */
  required: boolean;
  log: Logger;
}

/** What somebody makes his account of. */
export interface NewAccount {
  code: string;
  name: string;
  password: string;
}

type InvitationStatus = "active" | "used" | "expired" | "revoked";

const CODE_CHARS = 24;

/** A new code: `inv_` and 24 letters and digits, 142 random bits; and what is stored of it. */
export function newInvitationCode(): { code: string; codeHash: string } {
  const code = `inv_${randomText(CODE_CHARS)}`;
  return { code, codeHash: keyHash(code) };
}

/** What an invitation is at a time (unix ms). */
export function invitationStatus(invitation: InvitationRow, now = Date.now()): InvitationStatus {
  if (invitation.usedAt !== null) return "used";
  if (invitation.revokedAt !== null) return "revoked";
  return invitation.expiresAt <= now ? "expired" : "active";
}

/**
 * Makes the account of somebody who was invited; the invitation is used up, unless there is none.
 * Throws 400 for a code that cannot be used and a bad password, 409 for a name that is taken.
 */
export async function registerInvited(
  { code, name, password }: NewAccount,
  { accounts, invitations, required, log }: RegistrationParts,
): Promise<UserRow> {
  if (!required) throw accessIsOff();
  const invitation = await invitations.find(keyHash(code));
  const status = invitation === undefined ? "unknown" : invitationStatus(invitation);
  if (invitation === undefined || status !== "active") throw unusable(status);
  const passwordHash = await hashPassword(password);
  if (!(await invitations.redeem(invitation.id))) throw unusable("used");
  let user: UserRow | undefined;
  try {
    user = await accounts.createUser({ name, role: invitation.role, passwordHash });
  } finally {
    await invitations.settle(invitation.id, user?.id ?? null);
  }
  log.info({ user: name, role: user.role, invitation: invitation.id }, "auth.registered");
  return user;
}

function unusable(status: InvitationStatus | "unknown"): ApiError {
  const why = status === "unknown" ? "this invitation is not known here" : `it is ${status}`;
  const message = `The account was not made: the invitation cannot be used, ${why}. Ask for \
another one.`;
  const options = { code: `invitation_${status}`, param: "invitation_code" };
  return new ApiError("invalid_request", message, options);
}
