import type { Accounts } from "../../../auth/accounts.ts";
import { beyond, lacking } from "../../../auth/lacking.ts";
import type { ApiKeyRow } from "../../../db/state/apikeys.ts";
import type { UserRow } from "../../../db/state/users.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { type AppContext, noteSubject, principalOf } from "../../../http/server/scope.ts";
import {
  KeyChangeBody,
  type KeyList,
  type MadeKeyAnswer,
  NewKeyBody,
} from "../../../wire/account.ts";
import { ApiError } from "../../../wire/error.ts";
import { NO_LIMITS, withLimits } from "../../../wire/limits.ts";
import type { Permission } from "../../../wire/permission.ts";
import { keyView } from "./view.ts";

const BODY_BYTES_MAX = 64 * 1024;

export interface KeyRouteParts {
  accounts: Accounts;
  /** The name of the admin who owns the first key, if there is nobody yet. */
  adminUsername: string;
}

/**
 * The API keys, under `/api/keys`. Who may manage keys (`api_keys.manage`) sees and changes all of
 * them, everybody else his own.
 */
export function routeKeys(app: App, parts: KeyRouteParts): void {
  const { accounts } = parts;
  const base = "/api/keys";

  app.get(base, (c) => {
    const keys = accounts.keys.filter((key) => isFor(c, key)).map((key) => keyView(key, accounts));
    return c.json<KeyList>({ keys });
  });

  app.post(base, async (c) => {
    const { value } = await readJson(c, NewKeyBody, BODY_BYTES_MAX);
    const { user, expires_at, permissions = ["openai.inference", "openai.models.read"] } = value;
    requireManager(c);
    requireOwn(c, permissions);
    requireClass(c, value.limits);
    const owner = await ownerOf(c, user, parts);
    const { name, models = null, notes = null } = value;
    const { row, key } = await accounts.createKey({
      ...{ userId: owner.id, name, permissions, models, notes },
      limits: withLimits(NO_LIMITS, value.limits),
      expiresAt: timeOf(expires_at ?? null),
    });
    return c.json<MadeKeyAnswer>({ ...keyView(row, accounts), key }, 201);
  });

  app.get(`${base}/:id`, (c) => c.json(keyView(keyOf(c, accounts), accounts)));

  app.patch(`${base}/:id`, async (c) => {
    const { id, limits: before } = keyOf(c, accounts);
    const { value } = await readJson(c, KeyChangeBody, BODY_BYTES_MAX);
    const { name, permissions, models, notes, limits, expires_at } = value;
    if (permissions !== undefined) requireOwn(c, permissions);
    const row = await accounts.changeKey(id, {
      ...(name !== undefined && { name }),
      ...(permissions !== undefined && { permissions }),
      ...(models !== undefined && { models }),
      ...(notes !== undefined && { notes }),
      ...(limits !== undefined && { limits: withLimits(before, limits) }),
      ...(expires_at !== undefined && { expiresAt: timeOf(expires_at) }),
    });
    return c.json(keyView(row, accounts));
  });

  app.post(`${base}/:id/rotate`, async (c) => {
    const { row, key } = await accounts.rotateKey(ownKeyOf(c, accounts).id);
    return c.json<MadeKeyAnswer>({ ...keyView(row, accounts), key });
  });

  app.post(`${base}/:id/revoke`, async (c) => {
    const { id, revokedAt } = ownKeyOf(c, accounts);
    const row = await accounts.changeKey(id, { revokedAt: revokedAt ?? Date.now() });
    return c.json(keyView(row, accounts));
  });

  app.delete(`${base}/:id`, async (c) => {
    await accounts.removeKey(ownKeyOf(c, accounts).id);
    return c.body(null, 204);
  });
}

/** Whether the caller may see a key: it is his own, or he manages all of them. */
function isFor(c: AppContext, { userId }: ApiKeyRow): boolean {
  const { permissions, user } = principalOf(c);
  return permissions.has("api_keys.manage") || user?.id === userId;
}

/** The key of the path. Throws 404, for a key of somebody else as well. */
function keyOf(c: AppContext, accounts: Accounts): ApiKeyRow {
  const id = c.req.param("id") ?? "";
  const key = accounts.key(id);
  if (key !== undefined && isFor(c, key)) {
    noteSubject(c, key.name);
    return key;
  }
  throw new ApiError("not_found", `There is no key ${id}.`, { code: "key_not_found" });
}

/** The same, to change it. Throws 403 as well. */
function ownKeyOf(c: AppContext, accounts: Accounts): ApiKeyRow {
  requireManager(c);
  return keyOf(c, accounts);
}

/** A key that may only use models must make no other, nor take one away. Throws 403. */
function requireManager(c: AppContext): void {
  const { permissions, kind } = principalOf(c);
  if (kind !== "key" || permissions.has("api_keys.manage")) return;
  throw lacking("The request was refused: this key lacks the permission api_keys.manage.");
}

/** Nobody hands on what he may not do himself. Throws 403. */
function requireOwn(c: AppContext, permissions: readonly Permission[]): void {
  const missing = beyond(principalOf(c).permissions, permissions);
  if (missing.length === 0) return;
  throw lacking(`The key was not made: you lack the permission ${missing.join(", ")} yourself.`);
}

/** Nobody puts himself before others. Throws 403. */
function requireClass(c: AppContext, limits: { priority?: string | null | undefined } = {}): void {
  if (limits.priority !== "high") return;
  if (principalOf(c).permissions.has("api_keys.manage")) return;
  throw lacking("The key was not made: one of class high needs the permission api_keys.manage.");
}

/** Whose key is to be made: the named user's, else the caller's, else the first admin's. */
async function ownerOf(
  c: AppContext,
  named: string | undefined,
  { accounts, adminUsername }: KeyRouteParts,
): Promise<UserRow> {
  const { permissions, user } = principalOf(c);
  const own = user && accounts.user(user.id);
  if (named === undefined) {
    const owner = own ?? accounts.users.find(({ role }) => role === "admin");
    // The first key may be made before anybody needs one.
    return owner ?? accounts.createUser({ name: adminUsername, role: "admin" });
  }
  const owner = accounts.user(named);
  if (owner !== undefined && (permissions.has("api_keys.manage") || owner.id === own?.id)) {
    return owner;
  }
  throw new ApiError("not_found", `There is no user ${named}.`, { code: "user_not_found" });
}

function timeOf(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
