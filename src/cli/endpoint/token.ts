import {
  EnrolmentTokenAnswer,
  type EnrolmentTokenBody,
  EnrolmentTokenList,
  type EnrolmentTokenView,
} from "../../wire/enrolment.ts";
import { call, printLine as line, printJson as print, type ServerCommand } from "../client/call.ts";
import { send } from "../client/server.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { paintFor, printable, table } from "../terminal/terminal.ts";

const PATH = "/api/enrolment-tokens";

/** Makes a token with which nodes enrol. */
export async function makeToken(
  { server, json }: ServerCommand,
  body: EnrolmentTokenBody,
): Promise<ExitCode> {
  const made = await call(server, PATH, EnrolmentTokenAnswer, { body });
  if (json) return print(made);
  line(made.token);
  // Beside the token, so that the token alone can be piped on.
  const uses = made.max_uses === null ? "any number of nodes" : `${made.max_uses} node(s)`;
  process.stderr.write(`For ${uses}, until ${made.expires_at}. It is not shown again. Use:\n`);
  process.stderr.write(`  llmlb node --join ${server.url} --token ${made.token}\n`);
  return EXIT.ok;
}

/** Shows the tokens, newest first; what they are for is kept, not they themselves. */
export async function listTokens({ server, json }: ServerCommand): Promise<ExitCode> {
  const answer = await call(server, PATH, EnrolmentTokenList);
  if (json) return print(answer);
  if (answer.tokens.length === 0) {
    line("There are no tokens. Make one: llmlb endpoint token");
    return EXIT.ok;
  }
  const { dim } = paintFor(process.stdout);
  const head = ["ID", "STATE", "USED", "EXPIRES", "NOTE"].map(dim);
  for (const row of table([head, ...answer.tokens.map(rowOf)])) line(row);
  return EXIT.ok;
}

/** Makes a token useless; nodes that joined with it stay. */
export async function revokeToken({ server, json }: ServerCommand, id: string): Promise<ExitCode> {
  await send(server, `${PATH}/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) return print({ id, revoked: true });
  line(`Revoked ${printable(id)}. Nodes that joined with it stay: llmlb endpoint rm removes them.`);
  return EXIT.ok;
}

function rowOf(token: EnrolmentTokenView): string[] {
  const { green, red } = paintFor(process.stdout);
  const { id, state, uses, max_uses, expires_at, note } = token;
  return [
    printable(id),
    state === "usable" ? green(state) : red(state),
    `${uses}/${max_uses ?? "any"}`,
    printable(expires_at),
    printable(note ?? "-"),
  ];
}
