import type { Settings } from "../config/settings.ts";
import { ROLE_PERMISSIONS } from "../wire/permission.ts";
import type { Accounts } from "./accounts.ts";
import { randomText } from "./apikey.ts";
import { hashPassword } from "./password.ts";

/** What the first start made. Nothing of it can be read again later. */
export interface FirstAdmin {
  username: string;
  /** Undefined: it is the one of the settings. */
  password: string | undefined;
  /** An API key for clients; undefined if there were keys already. */
  key: string | undefined;
}

const PASSWORD_CHARS = 20;

/**
 * Makes the first admin and a first key where access control is on and no admin can log in.
 * Undefined if one can.
 */
export async function makeFirstAdmin(
  accounts: Accounts,
  { adminUsername, adminPassword }: Pick<Settings, "adminUsername" | "adminPassword">,
): Promise<FirstAdmin | undefined> {
  const admins = accounts.users.filter(({ role }) => role === "admin");
  if (admins.some((user) => user.passwordHash !== null || user.oidcSubject !== null)) {
    return undefined;
  }
  const password = adminPassword ?? randomText(PASSWORD_CHARS);
  const passwordHash = await hashPassword(password);
  const [existing] = admins;
  const user =
    existing === undefined
      ? await accounts.createUser({ name: adminUsername, role: "admin", passwordHash })
      : await accounts.changeUser(existing.id, { passwordHash });
  const key = existing === undefined ? await firstKey(accounts, user.id) : undefined;
  const shown = adminPassword === null ? password : undefined;
  return { username: user.name, password: shown, key };
}

async function firstKey(accounts: Accounts, userId: string): Promise<string> {
  const permissions = [...ROLE_PERMISSIONS.viewer];
  return (await accounts.createKey({ userId, name: "first", permissions })).key;
}
