import { type AppContext, principalOf } from "../../../http/server/scope.ts";
import { ApiError } from "../../../wire/error.ts";
import { ROLE_PERMISSIONS, type Role } from "../../../wire/permission.ts";

/**
 * Who makes somebody an admin, or gets at an admin's account, must be allowed as much himself: else
 * a permission to manage accounts would be a permission for everything. Throws 403.
 */
export function requireAsMuch(c: AppContext, role: Role): void {
  if (role === "viewer") return;
  const { permissions } = principalOf(c);
  const beyond = ROLE_PERMISSIONS[role].filter((one) => !permissions.has(one));
  if (beyond.length === 0) return;
  const message = `Nothing was changed: an ${role} may do what you may not: ${beyond.join(", ")}.`;
  throw new ApiError("forbidden", message, { code: "insufficient_permissions" });
}
