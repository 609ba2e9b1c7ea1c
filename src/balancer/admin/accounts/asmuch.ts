import { beyond, lacking } from "../../../auth/lacking.ts";
import { type AppContext, principalOf } from "../../../http/server/scope.ts";
import { ROLE_PERMISSIONS, type Role } from "../../../wire/permission.ts";

/**
 * Who makes somebody an admin, or gets at an admin's account, must be allowed as much himself: else
 * a permission to manage accounts would be a permission for everything. Throws 403.
 */
export function requireAsMuch(c: AppContext, role: Role): void {
  if (role === "viewer") return;
  const missing = beyond(principalOf(c).permissions, ROLE_PERMISSIONS[role]);
  if (missing.length === 0) return;
  throw lacking(`Nothing was changed: an ${role} may do what you may not: ${missing.join(", ")}.`);
}
