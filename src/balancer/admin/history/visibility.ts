import { principalOf, type Scope } from "../../../http/server/scope.ts";

/** Whose requests a principal may see; undefined: everybody's. */
export type Visibility = { userId: string } | { apiKeyId: string } | undefined;

/** Whose requests the sender of a request may see: with `logs.read` all, else his own. */
export function visibilityOf(scope: Scope): Visibility {
  const { permissions, user, keyId } = principalOf(scope);
  if (permissions.has("logs.read")) return undefined;
  // Somebody who has shown neither is let in only where everybody may see everything.
  return user === undefined ? { apiKeyId: keyId ?? "" } : { userId: user.id };
}
