import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writePrivateFile } from "../../lib/privatefile.ts";

/** The llmlb that commands talk to where none runs, and what they prove themselves with there. */
const Login = z.object({ url: z.string(), api_key: z.string() });
export type Login = z.infer<typeof Login>;

/** The login of a data folder; undefined for none, or one that cannot be read. */
export function readLogin(home: string): Login | undefined {
  try {
    return Login.parse(JSON.parse(readFileSync(pathIn(home), "utf8")));
  } catch {
    return undefined;
  }
}

/** Keeps a login instead of the one before; only its owner can read it. Throws if it cannot. */
export function saveLogin(home: string, login: Login): void {
  writePrivateFile(pathIn(home), `${JSON.stringify(login, null, 2)}\n`);
}

/** Forgets the login. */
export function removeLogin(home: string): void {
  rmSync(pathIn(home), { force: true });
}

function pathIn(home: string): string {
  return join(home, "login.json");
}
