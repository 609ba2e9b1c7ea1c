import { z } from "zod";
import { LimitChanges, Limits } from "./limits.ts";
import { PERMISSIONS, ROLES } from "./permission.ts";

/** Users and API keys of the management API. Times are RFC 3339. */

const NAME_CHARS_MAX = 64;
const NOTES_CHARS_MAX = 2000;
const MODELS_MAX = 200;

/** No control characters, which terminals and logs would take for something else. */
const name = () =>
  z
    .string()
    .trim()
    .min(1)
    .max(NAME_CHARS_MAX)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, "must have no control characters");
const time = () => z.iso.datetime({ offset: true });

const keyFields = {
  name: name(),
  permissions: z.array(z.enum(PERMISSIONS)).min(1),
  /** Patterns with `*`; null: all. */
  models: z.array(z.string().min(1).max(256)).max(MODELS_MAX).nullable(),
  limits: LimitChanges,
  notes: z.string().max(NOTES_CHARS_MAX).nullable(),
  /** Null: never. */
  expires_at: time().nullable(),
};

/** `POST /api/keys`. Default of `permissions`: to use models. */
export const NewKeyBody = z.strictObject({
  ...z.object(keyFields).partial().required({ name: true }).shape,
  /** Id or name of the owner. Default: who asks; on this machine the first admin. */
  user: z.string().optional(),
});
export type NewKeyBody = z.infer<typeof NewKeyBody>;

/** `PATCH /api/keys/{id}`: what is absent stays. */
export const KeyChangeBody = z.strictObject(z.object(keyFields).partial().shape);
export type KeyChangeBody = z.infer<typeof KeyChangeBody>;

/** A key without its text. */
export const KeyView = z.object({
  id: z.string(),
  name: z.string(),
  /** Its beginning. */
  key_prefix: z.string(),
  user: z.object({ id: z.string(), name: z.string() }),
  permissions: z.array(z.enum(PERMISSIONS)),
  models: z.array(z.string()).nullable(),
  limits: Limits,
  notes: z.string().nullable(),
  status: z.enum(["active", "expired", "revoked"]),
  created_at: time(),
  expires_at: time().nullable(),
  revoked_at: time().nullable(),
  last_used_at: time().nullable(),
});
export type KeyView = z.infer<typeof KeyView>;

/** A key that was made or rotated; its text is shown this once. */
export const MadeKeyAnswer = KeyView.extend({ key: z.string() });
export type MadeKeyAnswer = z.infer<typeof MadeKeyAnswer>;

export const KeyList = z.object({ keys: z.array(KeyView) });
export type KeyList = z.infer<typeof KeyList>;

/** `POST /api/users`. Without a password one is made up, which must be changed. */
export const NewUserBody = z.strictObject({
  username: name(),
  role: z.enum(ROLES).default("viewer"),
  password: z.string().optional(),
  limits: LimitChanges.optional(),
});

/** `PATCH /api/users/{id}`: what is absent stays. */
export const UserChangeBody = z.strictObject({
  username: name().optional(),
  role: z.enum(ROLES).optional(),
  /** Null: one is made up and returned. He must change either. */
  password: z.string().nullish(),
  limits: LimitChanges.optional(),
  /** Neither he nor his keys are let in while this is true. */
  disabled: z.boolean().optional(),
});

export const UserView = z.object({
  id: z.string(),
  username: z.string(),
  role: z.enum(ROLES),
  limits: Limits,
  disabled: z.boolean(),
  must_change_password: z.boolean(),
  keys: z.number(),
  created_at: time(),
  last_login_at: time().nullable(),
});
export type UserView = z.infer<typeof UserView>;

/** A user, and a password that was made up. */
export const MadeUserAnswer = UserView.extend({ generated_password: z.string().optional() });
export type MadeUserAnswer = z.infer<typeof MadeUserAnswer>;

export const UserList = z.object({ users: z.array(UserView) });
export type UserList = z.infer<typeof UserList>;
