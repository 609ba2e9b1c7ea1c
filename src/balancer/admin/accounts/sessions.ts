import type { Accounts } from "../../../auth/accounts.ts";
import { lacking } from "../../../auth/lacking.ts";
import { endOf, type LiveSessions } from "../../../auth/livesessions.ts";
import { sessionTokenOf } from "../../../auth/sessioncookie.ts";
import type { SessionRow } from "../../../db/state/sessions.ts";
import type { App } from "../../../http/server/app.ts";
import { type AppContext, noteSubject, principalOf } from "../../../http/server/scope.ts";
import { isoTime } from "../../../lib/isotime.ts";
import { ApiError } from "../../../wire/error.ts";
import type { SessionList, SessionView } from "../../../wire/login.ts";

const REFUSED = "The request was refused:";

interface SessionRouteParts {
  accounts: Accounts;
  sessions: LiveSessions;
}

/**
 * The log-ins, under `/api/auth/sessions`: one's own; those of `?user=`, an id or a name, or
 * everybody's (`?user=*`), for who may manage users.
 */
export function routeSessions(app: App, parts: SessionRouteParts): void {
  const { sessions } = parts;

  app.get("/api/auth/sessions", (c) => {
    const listed = sessions.list(whose(c, parts)).map((session) => viewOf(c, session, parts));
    return c.json<SessionList>({ sessions: listed });
  });

  app.delete("/api/auth/sessions/:id", async (c) => {
    const { permissions, user, kind } = principalOf(c);
    const mayAll = permissions.has("users.manage");
    // A key that may only use models must not log its owner out.
    if (kind === "key" && !mayAll)
      throw lacking(`${REFUSED} this key lacks the permission users.manage.`);
    const { id } = c.req.param();
    const session = sessions.list().find((one) => one.id === id);
    if (session === undefined || (!mayAll && session.userId !== user?.id)) {
      const message = `There is no log-in ${id}.`;
      throw new ApiError("not_found", message, { code: "session_not_found" });
    }
    noteSubject(c, parts.accounts.user(session.userId)?.name ?? session.userId);
    await sessions.end(session.id);
    return c.body(null, 204);
  });
}

/** Whose sessions are asked for; undefined: everybody's. */
function whose(c: AppContext, { accounts }: SessionRouteParts): string | undefined {
  const { user, permissions } = principalOf(c);
  const asked = c.req.query("user");
  // Without an account nobody has any of his own.
  if (asked === undefined) return user?.id ?? "";
  const named = accounts.user(asked);
  if (named !== undefined && named.id === user?.id) return named.id;
  if (!permissions.has("users.manage"))
    throw lacking(`${REFUSED} you lack the permission users.manage.`);
  if (asked === "*") return undefined;
  if (named !== undefined) return named.id;
  throw new ApiError("not_found", `There is no user ${asked}.`, { code: "user_not_found" });
}

function viewOf(c: AppContext, session: SessionRow, parts: SessionRouteParts): SessionView {
  const { id, userId, address, userAgent, createdAt, lastSeenAt } = session;
  const current = parts.sessions.find(sessionTokenOf(c) ?? "");
  return {
    id,
    user: { id: userId, name: parts.accounts.user(userId)?.name ?? "" },
    ...{ current: current?.id === id, address, user_agent: userAgent },
    created_at: isoTime(createdAt),
    last_seen_at: isoTime(lastSeenAt),
    expires_at: isoTime(endOf(session)),
  };
}
