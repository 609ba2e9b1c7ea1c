import type { Auth } from "../../../auth/open.ts";
import type { NewAccount } from "../../../auth/registration.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { NewAccountBody } from "../../../wire/invitation.ts";
import { answerLogin, visitorOf } from "./login.ts";
import { userView } from "./view.ts";

const BODY_BYTES_MAX = 64 * 1024;

export type RegisterRouteParts = Pick<Auth, "accounts" | "login" | "register">;

/** Accounts of those who were invited: under `/api/auth` they are logged in as well. */
export function routeRegister(app: App, parts: RegisterRouteParts): void {
  app.post("/api/auth/register", async (c) => {
    const { value } = await readJson(c, NewAccountBody, BODY_BYTES_MAX);
    const user = await parts.register(accountOf(value));
    return answerLogin(c, await parts.login.start(user, visitorOf(c)), parts, 201);
  });

  app.post("/v0/auth/register", async (c) => {
    const { value } = await readJson(c, NewAccountBody, BODY_BYTES_MAX);
    const user = await parts.register(accountOf(value));
    const { id, username, role, created_at } = userView(user, parts.accounts.keyCounts);
    return c.json({ id, username, role, created_at }, 201);
  });
}

function accountOf(body: NewAccountBody): NewAccount {
  const { invitation_code: code, username: name, password } = body;
  return { code, name, password };
}
