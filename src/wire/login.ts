import { z } from "zod";
import { UserView } from "./account.ts";
import { PERMISSIONS, ROLES } from "./permission.ts";

/** Log-ins of the management API. Times are RFC 3339. */

/** Cookies that pages read: what `X-CSRF-Token` is to say, and why a log-in elsewhere failed. */
export const CSRF_COOKIE = "llmlb_csrf";
export const LOGIN_FAILURE_COOKIE = "llmlb_login_failure";

const time = () => z.iso.datetime({ offset: true });
const name = () => z.string().min(1).max(256);
/** Longer ones are refused by what reads them. */
const password = () => z.string().max(10_000);

/** `POST /api/auth/login`. */
export const LoginBody = z.object({ username: name(), password: password() });

/** A log-in; its cookies are in the headers. */
export const LoginAnswer = z.object({
  user: UserView,
  /** For `X-CSRF-Token`, with all that changes something. */
  csrf_token: z.string(),
  /** When it ends if it is not used again. */
  expires_at: time(),
});
export type LoginAnswer = z.infer<typeof LoginAnswer>;

/** `POST /v0/auth/login`: the token is for `Authorization: Bearer`. */
export const TokenAnswer = z.object({
  token: z.string(),
  /** Seconds. */
  expires_in: z.int(),
  user: z.object({ id: z.string(), username: z.string(), role: z.enum(ROLES) }),
  must_change_password: z.boolean(),
});
export type TokenAnswer = z.infer<typeof TokenAnswer>;

/** `PUT /api/auth/password`. */
export const PasswordBody = z.strictObject({
  /** May be absent just after a log-in with a password that must be changed. */
  current_password: password().optional(),
  new_password: password(),
});

/** `GET /api/auth/me`: who asks. With access control off nobody is anybody. */
export const MeAnswer = z.discriminatedUnion("access", [
  z.object({ access: z.literal("off") }),
  z.object({
    access: z.literal("required"),
    /** Whether one can log in by OpenID Connect, at `GET /api/auth/oidc/login`. */
    oidc: z.boolean(),
    /** `local`: who has the credential of this machine's data folder. */
    kind: z.enum(["anonymous", "key", "session", "local"]),
    /** Whose key or log-in it is; null: nobody's. */
    user: UserView.nullable(),
    role: z.enum(ROLES).nullable(),
    permissions: z.array(z.enum(PERMISSIONS)),
    must_change_password: z.boolean(),
    /** Null for what is no log-in with cookies. */
    csrf_token: z.string().nullable(),
    expires_at: time().nullable(),
  }),
]);
export type MeAnswer = z.infer<typeof MeAnswer>;

export const SessionView = z.object({
  id: z.string(),
  user: z.object({ id: z.string(), name: z.string() }),
  /** Whether it is the one that asks. */
  current: z.boolean(),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: time(),
  last_seen_at: time(),
  expires_at: time(),
});
export type SessionView = z.infer<typeof SessionView>;

/** `GET /api/auth/sessions`. */
export const SessionList = z.object({ sessions: z.array(SessionView) });
export type SessionList = z.infer<typeof SessionList>;
