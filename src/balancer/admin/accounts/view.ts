import type { Accounts } from "../../../auth/accounts.ts";
import type { ApiKeyRow } from "../../../db/state/apikeys.ts";
import type { UserRow } from "../../../db/state/users.ts";
import { isoTime, isoTimeOrNull } from "../../../lib/isotime.ts";
import type { KeyView, UserView } from "../../../wire/account.ts";

/** A key as the API shows it. */
export function keyView(key: ApiKeyRow, accounts: Accounts, now = Date.now()): KeyView {
  const isExpired = key.expiresAt !== null && key.expiresAt <= now;
  return {
    id: key.id,
    name: key.name,
    key_prefix: key.prefix,
    user: { id: key.userId, name: accounts.user(key.userId)?.name ?? "" },
    permissions: key.permissions,
    models: key.models,
    limits: key.limits,
    notes: key.notes,
    status: key.revokedAt !== null ? "revoked" : isExpired ? "expired" : "active",
    created_at: isoTime(key.createdAt),
    expires_at: isoTimeOrNull(key.expiresAt),
    revoked_at: isoTimeOrNull(key.revokedAt),
    last_used_at: isoTimeOrNull(key.lastUsedAt),
  };
}

/** A user as the API shows him; `keyCounts` as `Accounts` has them. */
export function userView(user: UserRow, keyCounts: ReadonlyMap<string, number>): UserView {
  return {
    id: user.id,
    username: user.name,
    role: user.role,
    limits: user.limits,
    disabled: user.disabledAt !== null,
    must_change_password: user.mustChangePassword,
    keys: keyCounts.get(user.id) ?? 0,
    created_at: isoTime(user.createdAt),
    last_login_at: isoTimeOrNull(user.lastLoginAt),
  };
}
