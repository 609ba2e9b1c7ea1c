import {
  csrfTokenOf,
  endOf,
  type StartedSession,
  type Visitor,
} from "../../../auth/livesessions.ts";
import type { Auth } from "../../../auth/open.ts";
import { endedCookies, sessionCookies, sessionTokenOf } from "../../../auth/sessioncookie.ts";
import type { UserRow } from "../../../db/state/users.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { peerOf } from "../../../http/server/peer.ts";
import { type AppContext, principalOf } from "../../../http/server/scope.ts";
import {
  type LoginAnswer,
  LoginBody,
  type MeAnswer,
  PasswordBody,
  type TokenAnswer,
} from "../../../wire/login.ts";
import { ROLE_PERMISSIONS } from "../../../wire/permission.ts";
import { userView } from "./view.ts";

const BODY_BYTES_MAX = 64 * 1024;

export type LoginRouteParts = Pick<Auth, "accounts" | "sessions" | "login" | "oidc" | "required">;

/** Logging in and out, under `/api/auth` with cookies and the older `/v0/auth` with a token. */
export function routeLogin(app: App, parts: LoginRouteParts): void {
  const { accounts, sessions, login } = parts;

  app.post("/api/auth/login", async (c) => {
    const { value } = await readJson(c, LoginBody, BODY_BYTES_MAX);
    noteLogin(c, accounts.user(value.username));
    const started = await login.withPassword(value.username, value.password, visitorOf(c));
    return answerLogin(c, started, parts);
  });

  app.post("/v0/auth/login", async (c) => {
    const { value } = await readJson(c, LoginBody, BODY_BYTES_MAX);
    noteLogin(c, accounts.user(value.username));
    const started = await login.withPassword(value.username, value.password, visitorOf(c));
    const { token, session, user } = started;
    return c.json<TokenAnswer>({
      ...{ token, expires_in: Math.floor((endOf(session) - Date.now()) / 1000) },
      user: { id: user.id, username: user.name, role: user.role },
      must_change_password: user.mustChangePassword,
    });
  });

  for (const base of ["/api/auth", "/v0/auth"]) {
    app.post(`${base}/logout`, async (c) => {
      const session = sessions.find(sessionTokenOf(c) ?? "");
      if (session !== undefined) await sessions.end(session.id);
      setCookies(c, endedCookies(c));
      return c.body(null, 204);
    });
  }

  app.get("/api/auth/me", (c) => c.json(meOf(c, parts)));

  app.get("/v0/auth/me", (c) => {
    const { user } = principalOf(c);
    const { id = null, name = null, role = null } = user ?? {};
    return c.json({ user_id: id, username: name, role });
  });

  app.put("/api/auth/password", async (c) => {
    const { value } = await readJson(c, PasswordBody, BODY_BYTES_MAX);
    const session = sessions.find(sessionTokenOf(c) ?? "");
    const user = session && accounts.user(session.userId);
    // The door has let only sessions in.
    if (session === undefined || user === undefined) throw new Error("There is no session.");
    const passwords = { current: value.current_password, next: value.new_password };
    const started = await login.changePassword({ session, user }, passwords, visitorOf(c));
    return answerLogin(c, started, parts);
  });
}

/** Keeps whose account a log-in is about, for the record of it, whether it succeeds or not. */
export function noteLogin(c: AppContext, user?: UserRow): void {
  const { id, name } = user ?? {};
  const known = id !== undefined && name !== undefined ? { user: { id, name } } : {};
  c.set("change", { ...c.get("change"), ...known, isLogin: true });
}

/** Who logs in, for the list of log-ins. */
export function visitorOf(c: AppContext): Visitor {
  return { address: peerOf(c), userAgent: c.req.header("user-agent") ?? null };
}

/** Tells the page of a session that has begun. */
export function answerLogin(
  c: AppContext,
  { token, session, user }: StartedSession,
  { accounts }: Pick<LoginRouteParts, "accounts">,
  status: 200 | 201 = 200,
): Response {
  setCookies(c, sessionCookies(c, token));
  const expires_at = new Date(endOf(session)).toISOString();
  const csrf_token = csrfTokenOf(token);
  return c.json<LoginAnswer>(
    { user: userView(user, accounts.keyCounts), csrf_token, expires_at },
    status,
  );
}

function setCookies(c: AppContext, cookies: string[]): void {
  for (const cookie of cookies) c.header("set-cookie", cookie, { append: true });
  c.header("cache-control", "no-store");
}

function meOf(c: AppContext, parts: LoginRouteParts): MeAnswer {
  const { accounts, sessions, oidc, required } = parts;
  c.header("cache-control", "no-store");
  if (!required) return { access: "off" };
  const { kind, user: owner, permissions } = principalOf(c);
  const user = owner && accounts.user(owner.id);
  const token = kind === "session" ? sessionTokenOf(c) : undefined;
  const session = token === undefined ? undefined : sessions.find(token);
  return {
    ...{ access: "required", oidc: oidc !== undefined, kind },
    user: user === undefined ? null : userView(user, accounts.keyCounts),
    role: user?.role ?? null,
    permissions: ROLE_PERMISSIONS.admin.filter((one) => permissions.has(one)),
    must_change_password: kind === "session" && user?.mustChangePassword === true,
    csrf_token: token === undefined ? null : csrfTokenOf(token),
    expires_at: session === undefined ? null : new Date(endOf(session)).toISOString(),
  };
}
