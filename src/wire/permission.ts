/** What a principal may do. Everything is refused that no permission allows. */
export const PERMISSIONS = [
  "openai.inference",
  "openai.models.read",
  "endpoints.read",
  "endpoints.manage",
  "api_keys.manage",
  "users.manage",
  "invitations.manage",
  "models.manage",
  "registry.read",
  "logs.read",
  "metrics.read",
  "audit.read",
  "settings.read",
] as const;

export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ["admin", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** What each role may do: everything, or use models and see what there is. */
export const ROLE_PERMISSIONS: Record<Role, readonly Permission[]> = {
  admin: PERMISSIONS,
  viewer: ["openai.inference", "openai.models.read", "endpoints.read", "registry.read"],
};
