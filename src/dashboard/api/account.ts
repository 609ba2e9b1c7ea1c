import { useQuery } from "@tanstack/react-query";
import { MeAnswer } from "../../wire/login.ts";
import type { Permission } from "../../wire/permission.ts";
import { CallError, call, send } from "./call.ts";
import { queries } from "./queries.ts";

const KEY = ["me"];

/** Who reads the dashboard. */
export function useMe() {
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      const me = await call(MeAnswer, "GET /api/auth/me", { signal });
      forgetOthers(userIdOf(me));
      if (me.access === "required" && me.kind !== "anonymous") lastPermissions = me.permissions;
      return me;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Who is logged in; undefined: nobody, or nobody needs to. */
export function userIdOf(me: MeAnswer): string | undefined {
  return me.access === "required" ? me.user?.id : undefined;
}

let lastUserId: string | undefined;

/** What one has seen is not for the next who logs in on the same page. */
function forgetOthers(userId: string | undefined): void {
  if (userId === undefined) return;
  if (lastUserId !== undefined && lastUserId !== userId) {
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
  }
  lastUserId = userId;
}

/** What the reader could do before his log-in ended. */
let lastPermissions: readonly Permission[] = [];

/**
 * Says what the reader may do; without access control everything. Who has to log in again finds
 * everything as it was, half filled forms, too.
 */
export function useMay(): (permission: Permission) => boolean {
  const { data } = useMe();
  return (permission) => {
    if (data === undefined) return false;
    if (data.access === "off") return true;
    const permissions = data.kind === "anonymous" ? lastPermissions : data.permissions;
    return permissions.includes(permission);
  };
}

/** Whether one has to log in first. */
export function needsLogin(me: MeAnswer): boolean {
  return me.access === "required" && (me.kind === "anonymous" || me.must_change_password);
}

/** Asks again who reads. */
export function askWhoIAm(): Promise<void> {
  return queries.invalidateQueries({ queryKey: KEY });
}

/** Ends the log-in, and forgets all that was shown; the page begins anew at `to`. */
export async function logOut(to = "/dashboard"): Promise<void> {
  try {
    await send("POST /api/auth/logout");
  } catch (error) {
    // It has ended already: by itself, or with its user.
    if (!(error instanceof CallError && error.status === 401)) throw error;
  }
  queries.clear();
  // Going to another place on the same page would not load it again.
  history.pushState(null, "", to);
  location.reload();
}
