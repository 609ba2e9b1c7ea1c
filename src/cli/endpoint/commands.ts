import type { Command } from "commander";
import type { ServerCommand } from "../client/call.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import {
  bodyOf,
  CAPABILITY_NAMES,
  CLEARABLE_NAMES,
  type EndpointFlags,
  seconds,
  wholeNumber,
} from "./body.ts";

/** Flags that all commands of the group take. */
export interface GroupFlags {
  json?: true;
  url?: string;
  apiKey?: string;
  home?: string;
}

export interface GroupParts {
  /** Adds the options that say which server is meant. */
  addServerOptions(command: Command): Command;
  /** Finds that server. */
  connect(flags: GroupFlags): ServerCommand;
  /** Takes the exit code of the command that ran. */
  finish(code: ExitCode): void;
}

const EXAMPLES = `
Examples:
  llmlb endpoint add http://gpu1:8080                 any OpenAI-compatible server
  llmlb endpoint add http://gpu2:11434 --name ollama  with a name of your own
  llmlb endpoint add https://api.example.com --key -  a key on standard input, seen by nobody
  llmlb endpoint list
  llmlb endpoint set ollama --slots 2 --interval 10s  change it; what runs goes on
  llmlb endpoint set ollama --clear slots,notes       back to the defaults
  llmlb endpoint test gpu1:8080
  llmlb endpoint token --expires 1h                   let one node join by itself
  llmlb endpoint tokens                               those there are
  llmlb endpoint token --revoke ID                    make one useless`;

/** Adds `llmlb endpoint` and its commands. */
export function addEndpointCommands(program: Command, parts: GroupParts): void {
  const group = program
    .command("endpoint")
    .helpGroup("Use:")
    .usage("<command> [options]")
    .description("Manage the endpoints of a running llmlb")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  addAdd(group, parts);
  addSet(group, parts);
  const list = command(group, parts, "list", "Show all endpoints")
    .option("--status <state>", "Only those: pending, online, error, offline")
    .option("--kind <kind>", "Only those, e.g. llmlb, ollama, vllm");
  list.action(async (flags: GroupFlags & { status?: string; kind?: string }) => {
    const { listEndpoints } = await import("./endpoint.ts");
    const { status, kind } = flags;
    const filter = { ...(status ? { status } : {}), ...(kind ? { kind } : {}) };
    parts.finish(await listEndpoints(parts.connect(flags), filter));
  });
  const single = [
    ["show", "Show one endpoint and its models", "showEndpoint"],
    ["test", "Check an endpoint now; exit status 1 if it fails", "testEndpoint"],
    ["sync", "Read an endpoint's list of models now", "syncEndpoint"],
    ["rm", "Remove an endpoint; what runs on it goes on", "removeEndpoint"],
  ] as const;
  for (const [name, description, run] of single) {
    command(group, parts, name, description)
      .argument("<endpoint>", "Its name or id")
      .action(async (which: string, flags: GroupFlags) => {
        const commands = await import("./endpoint.ts");
        parts.finish(await commands[run](parts.connect(flags), which));
      });
  }
  addToken(group, parts);
}

function addAdd(group: Command, parts: GroupParts): void {
  const add = command(group, parts, "add", "Add an endpoint; it is found out what answers there")
    .argument("<base-url>", "Its address, e.g. http://gpu1:8080 (a key as http://KEY@host)")
    .option("--name <name>", "Name to show (default: host and port)");
  addFields(add).action(async (base_url: string, flags: GroupFlags & EndpointFlags) => {
    const { addEndpoint } = await import("./endpoint.ts");
    const body = await bodyOf(flags);
    parts.finish(await addEndpoint(parts.connect(flags), { ...body, base_url }));
  });
}

function addSet(group: Command, parts: GroupParts): void {
  const set = command(group, parts, "set", "Change an endpoint; what is not given stays")
    .argument("<endpoint>", "Its name or id")
    .option("--name <name>", "Another name")
    .option("--base-url <url>", "Another address");
  addFields(set)
    .option("--clear <what>", `Back to the default, separated by commas: ${CLEARABLE_NAMES}`)
    .action(async (which: string, flags: GroupFlags & EndpointFlags) => {
      const { changeEndpoint } = await import("./endpoint.ts");
      const body = await bodyOf(flags);
      if (Object.keys(body).length === 0) {
        const message = "Nothing to change was given: see llmlb endpoint set --help.";
        throw new CliError(message, EXIT.usage);
      }
      parts.finish(await changeEndpoint(parts.connect(flags), which, body));
    });
}

function addFields(command: Command): Command {
  return command
    .option("--key <key>", "Key to send to the endpoint; - reads it from standard input")
    .option("--slots <number>", "Requests it works on at once (default: as it says, or 8)")
    .option("--interval <time>", "Time between two checks, 10s to 5m (default: --health-interval)")
    .option("--timeout <time>", "Longest wait for an answer to begin, 10s to 10m (default 2m)")
    .option("--capabilities <list>", `What it is for, of ${CAPABILITY_NAMES}`)
    .option("--notes <text>", "Anything to remember");
}

interface TokenFlags extends GroupFlags {
  expires?: string;
  uses?: string;
  note?: string;
  revoke?: string;
}

function addToken(group: Command, parts: GroupParts): void {
  command(group, parts, "token", "Make a token with which a node enrols: llmlb node --join")
    .option("--expires <time>", "How long it can be used (default 24h)")
    .option("--uses <number>", "How many nodes it lets in (default 1)")
    .option("--note <text>", "What it is for")
    .option("--revoke <id>", "Make no token, but this one useless")
    .action(async (flags: TokenFlags) => {
      const { makeToken, revokeToken } = await import("./token.ts");
      const { expires, uses, note, revoke } = flags;
      const body = {
        ...(expires === undefined ? {} : { expires_in_secs: seconds("--expires", expires) }),
        ...(uses === undefined ? {} : { max_uses: wholeNumber("--uses", uses) }),
        ...(note === undefined ? {} : { note }),
      };
      if (revoke === undefined) parts.finish(await makeToken(parts.connect(flags), body));
      else if (Object.keys(body).length === 0) {
        parts.finish(await revokeToken(parts.connect(flags), revoke));
      } else throw new CliError("--revoke goes with no other option of a token", EXIT.usage);
    });
  command(group, parts, "tokens", "Show the tokens there are and what each is worth").action(
    async (flags: GroupFlags) => {
      const { listTokens } = await import("./token.ts");
      parts.finish(await listTokens(parts.connect(flags)));
    },
  );
}

function command(group: Command, parts: GroupParts, name: string, description: string): Command {
  const made = group.command(name).description(description).option("--json", "Print JSON");
  return parts.addServerOptions(made);
}
