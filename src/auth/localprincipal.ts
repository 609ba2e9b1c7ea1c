import { PERMISSIONS } from "../wire/permission.ts";
import type { KnownPrincipal } from "./principals.ts";
import { secretMatcher } from "./secret.ts";

/** Finds the user of this machine by the credential of the data folder: he may do everything. */
export function localPrincipal(
  credential: string | undefined,
): (given: string) => KnownPrincipal | undefined {
  if (credential === undefined) return () => undefined;
  const isLocal = secretMatcher(credential);
  const principal: KnownPrincipal = {
    ...{ id: "local", kind: "local", keyId: undefined, key: undefined, user: undefined },
    permissions: new Set(PERMISSIONS),
  };
  return (given) => (given.startsWith("local_") && isLocal(given) ? principal : undefined);
}
