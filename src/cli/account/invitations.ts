import {
  InvitationList,
  type InvitationView,
  MadeInvitationAnswer,
} from "../../wire/invitation.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

const PATH = "/api/invitations";

/** Makes an invitation and prints its code, alone on stdout. */
export async function invite({ server, json }: ClientContext, body: object): Promise<ExitCode> {
  const made = await requestJson(server, PATH, MadeInvitationAnswer, { body });
  if (json) return printJson(made);
  printLine(made.code);
  printNote(`For one person, who becomes ${made.role}, until ${made.expires_at}. It is not shown \
again. He makes his account with it at ${server.url}/dashboard.`);
  return EXIT.ok;
}

/** Prints the invitations, newest first, without their codes. */
export async function listInvitations({ server, json }: ClientContext): Promise<ExitCode> {
  const answer = await requestJson(server, PATH, InvitationList);
  if (json) return printJson(answer);
  if (answer.invitations.length === 0) {
    printLine("Nobody was invited. Invite somebody: llmlb invite");
    return EXIT.ok;
  }
  const { dim } = colorsFor(process.stdout);
  const head = ["ID", "STATE", "ROLE", "USED BY", "EXPIRES", "NOTE"].map(dim);
  for (const row of table([head, ...answer.invitations.map(rowOf)])) printLine(row);
  return EXIT.ok;
}

/** Makes an invitation useless; who has used it keeps his account. */
export async function revokeInvitation(
  { server, json }: ClientContext,
  id: string,
): Promise<ExitCode> {
  await sendRequest(server, `${PATH}/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) return printJson({ id, revoked: true });
  printLine(`Revoked ${printable(id)}.`);
  return EXIT.ok;
}

function rowOf(invitation: InvitationView): string[] {
  const { green, red } = colorsFor(process.stdout);
  const { id, status, role, used_by, expires_at, note } = invitation;
  return [
    id,
    status === "active" ? green(status) : red(status),
    role,
    printable(used_by ?? "-"),
    expires_at,
    printable(note ?? "-"),
  ];
}
