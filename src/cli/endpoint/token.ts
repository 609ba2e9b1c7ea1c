import { networkInterfaces } from "node:os";
import {
  EnrolmentTokenAnswer,
  type EnrolmentTokenBody,
  EnrolmentTokenList,
  type EnrolmentTokenView,
} from "../../wire/enrolment.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { joinAdvice } from "./joinadvice.ts";

const PATH = "/api/enrolment-tokens";
const ANSWER_MS_MAX = 5000;

/** Creates an enrolment token and prints it. */
export async function makeToken(
  { server, json }: ClientContext,
  body: EnrolmentTokenBody,
): Promise<ExitCode> {
  const made = await requestJson(server, PATH, EnrolmentTokenAnswer, { body });
  if (json) return printJson(made);
  printLine(made.token);
  // Beside the token, so that the token alone can be piped on.
  const uses = usesOf(made.max_uses);
  printNote(`For ${uses}, until ${made.expires_at}. It is not shown again.`);
  const { url, boundUrl } = server;
  const fingerprint = await fingerprintToPin(server);
  const facts = { url, boundUrl, addresses: ownAddresses(), token: made.token, fingerprint };
  for (const line of joinAdvice(facts)) printNote(line);
  return EXIT.ok;
}

function usesOf(max: number | null): string {
  if (max === null) return "any number of nodes";
  return max === 1 ? "one node" : `${max} nodes`;
}

/** The fingerprint that a node needs, unless an authority that all know vouches for the server. */
async function fingerprintToPin({ url, fingerprint }: Server): Promise<string | undefined> {
  if (fingerprint === undefined) return undefined;
  try {
    // Without our own authorities: the node's host may not have them.
    await fetch(`${url}/health`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return undefined;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return code === "ERR_TLS_CERT_ALTNAME_INVALID" ? undefined : fingerprint;
  }
}

/** Prints the tokens, newest first, by their ids: the balancer does not keep tokens themselves. */
export async function listTokens({ server, json }: ClientContext): Promise<ExitCode> {
  const answer = await requestJson(server, PATH, EnrolmentTokenList);
  if (json) return printJson(answer);
  if (answer.tokens.length === 0) {
    printLine("There are no tokens. Make one: llmlb endpoint token");
    return EXIT.ok;
  }
  const { dim } = colorsFor(process.stdout);
  const head = ["ID", "STATE", "USED", "EXPIRES", "NOTE"].map(dim);
  for (const row of table([head, ...answer.tokens.map(rowOf)])) printLine(row);
  return EXIT.ok;
}

/** Revokes a token; nodes that joined with it stay. */
export async function revokeToken({ server, json }: ClientContext, id: string): Promise<ExitCode> {
  await sendRequest(server, `${PATH}/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) return printJson({ id, revoked: true });
  printLine(
    `Revoked ${printable(id)}. Nodes that joined with it stay: llmlb endpoint rm removes them.`,
  );
  return EXIT.ok;
}

/** The addresses of this machine that others may reach; IPv4 first, as people type these. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = all.filter(
    ({ internal, address }) => !internal && !/^(fe80|169\.254)/i.test(address),
  );
  const ofFamily = (name: string) => outer.filter(({ family }) => family === name);
  return [...ofFamily("IPv4"), ...ofFamily("IPv6")].map(({ address }) => address);
}

function rowOf(token: EnrolmentTokenView): string[] {
  const { green, red } = colorsFor(process.stdout);
  const { id, state, uses, max_uses, expires_at, note } = token;
  return [
    printable(id),
    state === "usable" ? green(state) : red(state),
    `${uses}/${max_uses ?? "any"}`,
    printable(expires_at),
    printable(note ?? "-"),
  ];
}
