import { MadeUserAnswer, UserList, type UserView } from "../../wire/account.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { limitsText } from "./limitflags.ts";

const PATH = "/api/users";

/** Adds a user; prints the password that was made up for him, alone on stdout. */
export async function addUser({ server, json }: ClientContext, body: object): Promise<ExitCode> {
  const made = await requestJson(server, PATH, MadeUserAnswer, { body });
  return printMade("Added", made, json);
}

/** Prints all users. */
export async function listUsers({ server, json }: ClientContext): Promise<ExitCode> {
  const answer = await requestJson(server, PATH, UserList);
  if (json) return printJson(answer);
  if (answer.users.length === 0) {
    printLine("There are no users. Add one: llmlb user add NAME");
    return EXIT.ok;
  }
  const { dim } = colorsFor(process.stdout);
  const head = ["NAME", "ROLE", "KEYS", "LAST LOG-IN", "LIMITS"].map(dim);
  for (const row of table([head, ...answer.users.map(rowOf)])) printLine(row);
  return EXIT.ok;
}

/** Changes a user: his name, role, limits or password, or whether he is let in. */
export async function changeUser(
  { server, json }: ClientContext,
  which: string,
  body: object,
): Promise<ExitCode> {
  const path = `${PATH}/${encodeURIComponent(which)}`;
  const made = await requestJson(server, path, MadeUserAnswer, { method: "PATCH", body });
  const disabled = "disabled" in body ? body.disabled : undefined;
  if (disabled === undefined || json) return printMade("Changed", made, json);
  const name = printable(made.username);
  if (disabled === false) printLine(`Enabled ${name}: his log-ins and keys work again.`);
  else {
    printLine(
      `Disabled ${name}: his log-ins and keys are refused until llmlb user enable ${name}.`,
    );
  }
  return EXIT.ok;
}

/** Removes a user with his keys. */
export async function removeUser(
  { server, json }: ClientContext,
  which: string,
): Promise<ExitCode> {
  await sendRequest(server, `${PATH}/${encodeURIComponent(which)}`, { method: "DELETE" });
  if (json) return printJson({ user: which, removed: true });
  printLine(`Removed ${printable(which)} and his keys.`);
  return EXIT.ok;
}

function printMade(done: string, made: MadeUserAnswer, json: boolean): ExitCode {
  if (json) return printJson(made);
  const { username, role, generated_password: password } = made;
  if (password === undefined) printLine(`${done} ${printable(username)} (${role}).`);
  else {
    printNote(`${done} ${printable(username)} (${role}), with this password. It is not shown \
again, and is to be changed at the first log-in.`);
    printLine(password);
  }
  return EXIT.ok;
}

function rowOf(user: UserView): string[] {
  return [
    printable(user.username),
    user.disabled ? `${user.role}, disabled` : user.role,
    String(user.keys),
    user.last_login_at ?? "never",
    limitsText(user.limits),
  ];
}
