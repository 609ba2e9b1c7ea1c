import { mkdirSync } from "node:fs";
import { readLogin, removeLogin, saveLogin } from "../client/logins.ts";
import { fetchFrom } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { printLine } from "../terminal/output.ts";

/** Keeps a key for a server, after trying it. Throws `CliError` if the server refuses it. */
export async function login(home: string, { url, apiKey = "" }: Server): Promise<ExitCode> {
  const response = await fetchFrom({ url, apiKey }, "/api/keys");
  if (!response.ok) {
    const refused = response.status === 401 || response.status === 403;
    const why = refused ? "it refused the key" : `it answered ${response.status}`;
    throw new CliError(`Logging in at ${url} failed: ${why}. Nothing was kept.`);
  }
  mkdirSync(home, { recursive: true, mode: 0o700 });
  saveLogin(home, { url, api_key: apiKey });
  printLine(`Logged in at ${url}. Commands talk to it from now on where no llmlb runs here.`);
  return EXIT.ok;
}

/** Forgets the key that `login` keeps. */
export function logout(home: string): ExitCode {
  const kept = readLogin(home);
  removeLogin(home);
  printLine(kept === undefined ? "Nobody was logged in." : `Logged out of ${kept.url}.`);
  return EXIT.ok;
}
