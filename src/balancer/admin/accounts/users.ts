import type { Accounts } from "../../../auth/accounts.ts";
import { randomText } from "../../../auth/apikey.ts";
import { hashPassword } from "../../../auth/password.ts";
import type { UserRow } from "../../../db/state/users.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { type AppContext, noteSubject } from "../../../http/server/scope.ts";
import {
  type MadeUserAnswer,
  NewUserBody,
  UserChangeBody,
  type UserList,
} from "../../../wire/account.ts";
import { ApiError } from "../../../wire/error.ts";
import { NO_LIMITS, withLimits } from "../../../wire/limits.ts";
import { requireAsMuch } from "./asmuch.ts";
import { userView } from "./view.ts";

const BODY_BYTES_MAX = 64 * 1024;
const PASSWORD_CHARS = 16;

/** The users, under `/api/users` and the older `/v0/users`, for those who may manage them. */
export function routeUsers(app: App, accounts: Accounts): void {
  for (const base of ["/api/users", "/v0/users"]) {
    app.get(base, (c) => {
      const { users, keyCounts } = accounts;
      return c.json<UserList>({ users: users.map((user) => userView(user, keyCounts)) });
    });

    app.post(base, async (c) => {
      const { value } = await readJson(c, NewUserBody, BODY_BYTES_MAX);
      const { username: name, role, limits } = value;
      requireAsMuch(c, role);
      const { made, ...password } = await passwordOf(value.password ?? null);
      const all = withLimits(NO_LIMITS, limits);
      const user = await accounts.createUser({ name, role, limits: all, ...password });
      return c.json<MadeUserAnswer>({ ...userView(user, accounts.keyCounts), ...made }, 201);
    });

    app.get(`${base}/:id`, (c) => c.json(userView(userOf(c, accounts), accounts.keyCounts)));

    const change = async (c: AppContext) => {
      const { id, limits: before, role: roleBefore, disabledAt } = userOf(c, accounts);
      requireAsMuch(c, roleBefore);
      const { value } = await readJson(c, UserChangeBody, BODY_BYTES_MAX);
      const { username, role, limits, password, disabled } = value;
      requireAsMuch(c, role ?? roleBefore);
      const { made, ...secret } = password === undefined ? {} : await passwordOf(password);
      const user = await accounts.changeUser(id, {
        ...(username !== undefined && { name: username }),
        ...(role !== undefined && { role }),
        ...(limits !== undefined && { limits: withLimits(before, limits) }),
        ...(disabled !== undefined && { disabledAt: disabled ? (disabledAt ?? Date.now()) : null }),
        ...secret,
      });
      return c.json<MadeUserAnswer>({ ...userView(user, accounts.keyCounts), ...made });
    };
    app.patch(`${base}/:id`, change);
    app.put(`${base}/:id`, change);

    app.delete(`${base}/:id`, async (c) => {
      const { id, role } = userOf(c, accounts);
      requireAsMuch(c, role);
      await accounts.removeUser(id);
      return c.body(null, 204);
    });
  }
}

/** The hash of a password, or of one that is made up; he is to change either. */
async function passwordOf(given: string | null): Promise<{
  passwordHash: string;
  mustChangePassword: boolean;
  made?: { generated_password: string };
}> {
  const password = given ?? randomText(PASSWORD_CHARS);
  const hashed = { passwordHash: await hashPassword(password), mustChangePassword: true };
  return given === null ? { ...hashed, made: { generated_password: password } } : hashed;
}

/** The user of the path, by id or name. Throws 404. */
function userOf(c: AppContext, accounts: Accounts): UserRow {
  const id = c.req.param("id") ?? "";
  const user = accounts.user(id);
  if (user !== undefined) {
    noteSubject(c, user.name);
    return user;
  }
  throw new ApiError("not_found", `There is no user ${id}.`, { code: "user_not_found" });
}
