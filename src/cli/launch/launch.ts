import { closestWord } from "../../lib/closestword.ts";
import { firstModel, isListed, listModelNames } from "../client/modelnames.ts";
import { fetchFrom } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { printJson, printLine, printNote } from "../terminal/output.ts";
import { shellWord } from "../terminal/shellword.ts";
import { CLIENTS, type Client, type LaunchTarget, otherClient } from "./clients.ts";

interface LaunchOptions {
  /** The program's name. */
  program: string;
  /** What it is given. */
  arguments: string[];
  server: Server;
  /** Given by flag, variable or log-in: the client gets it. What only commands use is no such. */
  apiKey: string | undefined;
  /** Default: the first that is ready. */
  model: string | undefined;
  /** The environment that it gets besides. */
  env: Record<string, string | undefined>;
  /** File with the certificate or authority of the server, if that is not a public one. */
  authority: string | null;
}

/** A client's command line, and what its environment is to have. */
interface Launch {
  command: string[];
  variables: Record<string, string>;
  unset: readonly string[];
}

/** Some clients want a key where the server asks for none. */
const NO_KEY = "none";

/** Starts a client and returns its exit code. Throws `CliError` if it is not installed. */
export async function launch(options: LaunchOptions): Promise<number> {
  const client = clientOf(options.program);
  const path = Bun.which(options.program, { PATH: options.env.PATH ?? "" });
  if (path === null) throw notInstalled(options.program, client);
  const { command, variables, unset } = await prepare(options, client);
  const env = { ...options.env, ...variables };
  for (const name of unset) delete env[name];
  const [, ...args] = command;
  // Ctrl-C is the client's: it may mean to it to stop an answer, not to end.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) process.on(signal, () => undefined);
  const child = Bun.spawn([path, ...args], { env, stdio: ["inherit", "inherit", "inherit"] });
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return await child.exited;
}

/** Prints what a client would be started with, for a shell to read, or as JSON. */
export async function printLaunch(options: LaunchOptions, json: boolean): Promise<void> {
  const prepared = await prepare(options, clientOf(options.program));
  if (json) return void printJson(prepared);
  const { command, variables, unset } = prepared;
  for (const [name, value] of Object.entries(variables)) {
    printLine(`export ${name}=${shellWord(value)}`);
  }
  if (unset.length > 0) printLine(`unset ${unset.join(" ")}`);
  printLine(`# ${command.map(shellWord).join(" ")}`);
}

async function prepare(options: LaunchOptions, client: Client): Promise<Launch> {
  const { program, server, apiKey, authority } = options;
  await requireAccess(server, apiKey);
  const model = await modelOf({ ...server, ...(apiKey && { apiKey }) }, options.model);
  const target: LaunchTarget = { url: server.url, key: apiKey ?? NO_KEY, model };
  const isPrivate = authority !== null && server.url.startsWith("https:");
  return {
    command: [program, ...(client.arguments?.(target) ?? []), ...options.arguments],
    variables: {
      ...client.variables(target),
      ...(isPrivate ? { NODE_EXTRA_CA_CERTS: authority } : {}),
    },
    unset: client.unset ?? [],
  };
}

/** Throws `CliError` if the server asks for a key, and there is none to give away. */
async function requireAccess(server: Server, apiKey: string | undefined): Promise<void> {
  const { url, fingerprint } = server;
  const asClient = { url, apiKey: apiKey ?? NO_KEY, ...(fingerprint && { fingerprint }) };
  const answer = await fetchFrom(asClient, "/v1/models");
  await answer.body?.cancel();
  if (answer.status !== 401) return;
  const lines =
    apiKey === undefined
      ? [
          `${url} asks for a key, and the client needs one of its own.`,
          "  Make one:  llmlb key add NAME",
          "  and name it: LLMLB_API_KEY=sk_… (or --api-key, or llmlb login)",
        ]
      : [`${url} refuses the key. Make another: llmlb key add NAME`];
  throw new CliError(lines.join("\n"));
}

async function modelOf(server: Server, wanted: string | undefined): Promise<string> {
  if (wanted === undefined) {
    const model = await firstModel(server);
    printNote(`With ${model}; another one: --model NAME`);
    return model;
  }
  if (await isListed(server, wanted)) return wanted;
  const names = await listModelNames(server);
  const similar = closestWord(wanted, names);
  const advice = similar === undefined ? `It has ${names.join(", ")}` : `Did you mean ${similar}?`;
  throw new CliError(`${server.url} has no model ${wanted}. ${advice}`);
}

function clientOf(program: string): Client {
  return Object.hasOwn(CLIENTS, program)
    ? (CLIENTS[program] ?? otherClient(program))
    : otherClient(program);
}

function notInstalled(program: string, { title, install }: Client): CliError {
  const similar = Object.hasOwn(CLIENTS, program)
    ? undefined
    : closestWord(program, Object.keys(CLIENTS));
  if (similar !== undefined) {
    return new CliError(`There is no program ${program}: did you mean ${similar}?`, EXIT.usage);
  }
  const lines = [
    `Starting ${title} failed: there is no program ${program} on the PATH.`,
    `  Install it:   ${install}`,
    `  or see what it would be given: llmlb launch ${shellWord(program)} --print`,
  ];
  return new CliError(lines.join("\n"));
}
