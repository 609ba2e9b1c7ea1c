import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "./browser.ts";
import type { Program } from "./program.ts";

/** What the people of specs have as password, once they have chosen one. */
export const PASSWORD = "correct horse";
/** What they get at first. */
export const FIRST_PASSWORD = "first password";

/** The users of a program with access control whose admin has `PASSWORD`. */
export class People {
  readonly #program: Pick<Program, "url" | "home">;

  constructor(program: Pick<Program, "url" | "home">) {
    this.#program = program;
  }

  /** A browser in which nobody has logged in. */
  browser(): Browser {
    return new Browser(this.#program.url);
  }

  /** Sends a request as a command of the same machine's user would. */
  local(route: string, body?: object): Promise<Response> {
    const key = readFileSync(join(this.#program.home, "local.key"), "utf8").trim();
    return this.browser().send(route, body, { authorization: `Bearer ${key}` });
  }

  /** A browser in which somebody has logged in. */
  async loggedIn(username = "admin", password = PASSWORD): Promise<Browser> {
    const browser = this.browser();
    const response = await browser.logIn(username, password);
    if (response.status === 200) return browser;
    throw new Error(`${username} could not log in: ${await response.text()}`);
  }

  /** Makes a user, who must change `FIRST_PASSWORD`. */
  async create(username: string, role = "viewer"): Promise<void> {
    const user = { username, role, password: FIRST_PASSWORD };
    const made = await this.local("POST /api/users", user);
    if (made.status !== 201) throw new Error(await made.text());
  }

  /** A browser of a new user who has chosen `PASSWORD`. */
  async settled(name: string, role = "viewer"): Promise<Browser> {
    await this.create(name, role);
    const browser = await this.loggedIn(name, FIRST_PASSWORD);
    await browser.learn(await browser.send("PUT /api/auth/password", { new_password: PASSWORD }));
    return browser;
  }
}

/** The status and the code of a refusal. */
export async function refusedWith(response: Response): Promise<[status: number, code: string]> {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
}
