import { parseDurationMs } from "../../config/units.ts";
import {
  type KeyChangeBody,
  KeyList,
  KeyView,
  MadeKeyAnswer,
  type NewKeyBody,
} from "../../wire/account.ts";
import { PERMISSIONS } from "../../wire/permission.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { wordsOf } from "../options/flagvalues.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { type LimitFlags, limitsOf, limitsText } from "./limitflags.ts";

const PATH = "/api/keys";

/** The flags of `llmlb key add` and `set`, as text. */
export interface KeyFlags extends LimitFlags {
  name?: string;
  permissions?: string;
  models?: string;
  expires?: string;
  notes?: string;
}

/** The request body for the flags. Throws `CliError` that names the wrong flag. */
export function keyBody(flags: KeyFlags): KeyChangeBody {
  const { name, permissions, models, expires, notes } = flags;
  const limits = limitsOf(flags);
  return {
    ...(name !== undefined && { name }),
    ...(permissions !== undefined && { permissions: permissionsOf(permissions) }),
    ...(models !== undefined && { models: models === "all" ? null : wordsOf(models) }),
    ...(expires !== undefined && { expires_at: endOf(expires) }),
    ...(notes !== undefined && { notes: notes === "" ? null : notes }),
    ...(limits !== undefined && { limits }),
  };
}

/** Makes a key and prints it, alone on stdout, so that it can be piped on. */
export async function addKey({ server, json }: ClientContext, body: NewKeyBody): Promise<ExitCode> {
  const made = await requestJson(server, PATH, MadeKeyAnswer, { body });
  return printMade(made, json);
}

/** Prints the keys; revoked and expired ones as well. */
export async function listKeys(
  { server, json }: ClientContext,
  user: string | undefined,
): Promise<ExitCode> {
  const answer = await requestJson(server, PATH, KeyList);
  const keys = answer.keys.filter(
    (key) => user === undefined || key.user.id === user || key.user.name === user,
  );
  if (json) return printJson({ keys });
  if (keys.length === 0) {
    printLine("There are no such keys. Make one: llmlb key add NAME");
    return EXIT.ok;
  }
  const { dim } = colorsFor(process.stdout);
  const head = ["NAME", "KEY", "OF", "STATE", "MODELS", "LAST USED", "LIMITS"].map(dim);
  for (const row of table([head, ...keys.map(rowOf)])) printLine(row);
  return EXIT.ok;
}

/** Prints all facts of one key; the key itself is not kept. */
export async function showKey({ server, json }: ClientContext, which: string): Promise<ExitCode> {
  const key = await findKey(server, which);
  return json ? printJson(key) : printKey(key);
}

/** Changes a key. */
export async function changeKey(
  { server, json }: ClientContext,
  which: string,
  body: KeyChangeBody,
): Promise<ExitCode> {
  const { id } = await findKey(server, which);
  const key = await requestJson(server, `${PATH}/${id}`, KeyView, { method: "PATCH", body });
  return json ? printJson(key) : printKey(key);
}

/** Gives a key another text and prints that; the old one is refused from now on. */
export async function rotateKey({ server, json }: ClientContext, which: string): Promise<ExitCode> {
  const { id } = await findKey(server, which);
  const made = await requestJson(server, `${PATH}/${id}/rotate`, MadeKeyAnswer, { method: "POST" });
  return printMade(made, json);
}

/** Refuses a key from now on, and keeps it in the list. */
export async function revokeKey({ server, json }: ClientContext, which: string): Promise<ExitCode> {
  const { id } = await findKey(server, which);
  const key = await requestJson(server, `${PATH}/${id}/revoke`, KeyView, { method: "POST" });
  if (json) return printJson(key);
  printLine(`Revoked ${printable(key.name)}: its next request is refused.`);
  return EXIT.ok;
}

/** Removes a key for good. */
export async function removeKey({ server, json }: ClientContext, which: string): Promise<ExitCode> {
  const { id, name } = await findKey(server, which);
  await sendRequest(server, `${PATH}/${id}`, { method: "DELETE" });
  if (json) return printJson({ id, removed: true });
  printLine(`Removed ${printable(name)}.`);
  return EXIT.ok;
}

/** The key of an id, a name, or its beginning. Throws `CliError` for none or several. */
async function findKey(server: Server, which: string): Promise<KeyView> {
  const { keys } = await requestJson(server, PATH, KeyList);
  const byId = keys.find(({ id }) => id === which);
  const fits = keys.filter(({ name, key_prefix }) => name === which || key_prefix === which);
  const [found, another] = byId === undefined ? fits : [byId];
  if (found !== undefined && another === undefined) return found;
  if (found === undefined) {
    throw new CliError(`There is no key ${which}. llmlb key list shows those there are.`);
  }
  const ids = fits.map(({ id, user }) => `  ${id}  of ${user.name}`).join("\n");
  throw new CliError(`Several keys are called ${which}. Name one by its id:\n${ids}`);
}

function printMade(made: MadeKeyAnswer, json: boolean): ExitCode {
  if (json) return printJson(made);
  printLine(made.key);
  const end = made.expires_at === null ? "for good" : `until ${made.expires_at}`;
  printNote(`Key ${printable(made.name)} of ${printable(made.user.name)}, ${end}. It is not shown \
again. Clients send it as Authorization: Bearer, or as their API key.`);
  return EXIT.ok;
}

function printKey(key: KeyView): ExitCode {
  const paint = colorsFor(process.stdout);
  printLine(paint.bold(printable(key.name)));
  const rows = [
    ["Id", key.id],
    ["Key", `${key.key_prefix}…`],
    ["Of", printable(key.user.name)],
    ["State", key.status],
    ["Permissions", key.permissions.join(", ")],
    ["Models", modelsText(key)],
    ["Limits", limitsText(key.limits)],
    ["Made", key.created_at],
    ["Expires", key.expires_at ?? "never"],
    ["Last used", key.last_used_at ?? "never"],
    ...(key.notes === null ? [] : [["Notes", printable(key.notes)]]),
  ];
  for (const row of table(rows, "  ")) printLine(row);
  return EXIT.ok;
}

function rowOf(key: KeyView): string[] {
  const { green, red } = colorsFor(process.stdout);
  return [
    printable(key.name),
    `${key.key_prefix}…`,
    printable(key.user.name),
    key.status === "active" ? green(key.status) : red(key.status),
    modelsText(key),
    key.last_used_at ?? "never",
    limitsText(key.limits),
  ];
}

function modelsText({ models }: KeyView): string {
  return models === null ? "all" : models.map(printable).join(", ") || "none";
}

function permissionsOf(text: string): NonNullable<KeyChangeBody["permissions"]> {
  return wordsOf(text).map((word) => {
    const found = PERMISSIONS.find((one) => one === word);
    if (found !== undefined) return found;
    const known = PERMISSIONS.join(", ");
    throw new CliError(`--permissions ${word}: must be some of ${known}`, EXIT.usage);
  });
}

/** A moment, or one that is so far away; `never`. Throws `CliError`. */
function endOf(text: string): string | null {
  if (text === "never") return null;
  const ms = parseDurationMs(text);
  const time = ms === undefined ? Date.parse(text) : Date.now() + ms;
  if (!Number.isNaN(time) && Math.abs(time) < 8.64e15) return new Date(time).toISOString();
  const wanted = "a time such as 90d, a date such as 2030-01-31, or never";
  throw new CliError(`--expires ${text}: must be ${wanted}`, EXIT.usage);
}
