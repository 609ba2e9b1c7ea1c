import type { Command } from "commander";
import { addClientCommand, type ClientFlags, connect } from "../client/options.ts";
import type { Invocation } from "../invocation.ts";
import { parseCount, parseSeconds } from "../options/flagvalues.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { CAPABILITY_NAMES, CLEARABLE_NAMES, type EndpointFlags, endpointBody } from "./body.ts";

const EXAMPLES = `
Examples:
  llmlb endpoint add http://gpu1:8080                 any OpenAI-compatible server
  llmlb endpoint add http://gpu2:11434 --name ollama  with a name of your own
  llmlb endpoint add https://api.example.com --key -  a key on standard input, seen by nobody
  llmlb endpoint list
  llmlb endpoint set ollama --slots 2 --interval 10s  change it; what runs goes on
  llmlb endpoint set ollama --clear slots,notes       back to the defaults
  llmlb endpoint test gpu1:8080
  llmlb endpoint drain gpu1:8080                      no further requests: then it can be stopped
  llmlb endpoint token --expires 1h                   let one node join by itself
  llmlb endpoint tokens                               those there are
  llmlb endpoint token --revoke ID                    make one useless`;

/** Adds `llmlb endpoint` and its commands. */
export function addEndpointCommands(program: Command, invocation: Invocation): void {
  const group = program
    .command("endpoint")
    .helpGroup("Use:")
    .usage("<command> [options]")
    .description("Manage the endpoints of a running llmlb")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  addAdd(group, invocation);
  addSet(group, invocation);
  const list = addClientCommand(group, "list", "Show all endpoints")
    .option("--status <state>", "Only those: pending, online, error, offline")
    .option("--kind <kind>", "Only those, e.g. llmlb, ollama, vllm");
  list.action(async (flags: ClientFlags & { status?: string; kind?: string }) => {
    const { listEndpoints } = await import("./endpoint.ts");
    const { status, kind } = flags;
    const filter = { ...(status ? { status } : {}), ...(kind ? { kind } : {}) };
    invocation.exitCode = await listEndpoints(connect(flags), filter);
  });
  const single = [
    ["show", "Show one endpoint and its models", "showEndpoint"],
    ["test", "Check an endpoint now; exit status 1 if it fails", "testEndpoint"],
    ["sync", "Read an endpoint's list of models now", "syncEndpoint"],
    [
      "drain",
      "Give it no further requests; streams move where they can, all else goes on",
      "drainEndpoint",
    ],
    ["undrain", "Give it requests again", "undrainEndpoint"],
    ["rm", "Remove an endpoint; what runs on it goes on", "removeEndpoint"],
  ] as const;
  for (const [name, description, run] of single) {
    addClientCommand(group, name, description)
      .argument("<endpoint>", "Its name or id")
      .action(async (which: string, flags: ClientFlags) => {
        const commands = await import("./endpoint.ts");
        invocation.exitCode = await commands[run](connect(flags), which);
      });
  }
  addToken(group, invocation);
}

function addAdd(group: Command, invocation: Invocation): void {
  const add = addClientCommand(group, "add", "Add an endpoint; it is found out what answers there")
    .argument("<base-url>", "Its address, e.g. http://gpu1:8080 (a key as http://KEY@host)")
    .option("--name <name>", "Name to show (default: host and port)");
  addFields(add).action(async (base_url: string, flags: ClientFlags & EndpointFlags) => {
    const { addEndpoint } = await import("./endpoint.ts");
    const body = await endpointBody(flags);
    invocation.exitCode = await addEndpoint(connect(flags), { ...body, base_url });
  });
}

function addSet(group: Command, invocation: Invocation): void {
  const set = addClientCommand(group, "set", "Change an endpoint; what is not given stays")
    .argument("<endpoint>", "Its name or id")
    .option("--name <name>", "Another name")
    .option("--base-url <url>", "Another address");
  addFields(set)
    .option("--clear <what>", `Back to the default, separated by commas: ${CLEARABLE_NAMES}`)
    .action(async (which: string, flags: ClientFlags & EndpointFlags) => {
      const { changeEndpoint } = await import("./endpoint.ts");
      const body = await endpointBody(flags);
      if (Object.keys(body).length === 0) {
        const message = "Nothing to change was given: see llmlb endpoint set --help.";
        throw new CliError(message, EXIT.usage);
      }
      invocation.exitCode = await changeEndpoint(connect(flags), which, body);
    });
}

function addFields(command: Command): Command {
  return command
    .option("--key <key>", "Key to send to the endpoint; - reads it from standard input")
    .option("--slots <number>", "Requests it works on at once (default: as it says, or 8)")
    .option("--models <list>", "Its models, separated by commas, where it lists none itself")
    .option("--interval <time>", "Time between two checks, 10s to 5m (default: --health-interval)")
    .option("--timeout <time>", "Longest wait for an answer to begin, 10s to 10m (default 10m)")
    .option("--capabilities <list>", `What it is for, of ${CAPABILITY_NAMES}`)
    .option("--fingerprint <sha256:…>", "Its certificate, where no known authority has signed it")
    .option("--notes <text>", "Anything to remember");
}

interface TokenFlags extends ClientFlags {
  expires?: string;
  uses?: string;
  note?: string;
  revoke?: string;
}

function addToken(group: Command, invocation: Invocation): void {
  addClientCommand(group, "token", "Make a token with which a node enrols: llmlb node --join")
    .option("--expires <time>", "How long it can be used (default 24h)")
    .option("--uses <number>", "How many nodes it lets in (default 1)")
    .option("--note <text>", "What it is for")
    .option("--revoke <id>", "Make no token, but this one useless")
    .action(async (flags: TokenFlags) => {
      const { makeToken, revokeToken } = await import("./token.ts");
      const { expires, uses, note, revoke } = flags;
      const body = {
        ...(expires === undefined ? {} : { expires_in_secs: parseSeconds("--expires", expires) }),
        ...(uses === undefined ? {} : { max_uses: parseCount("--uses", uses) }),
        ...(note === undefined ? {} : { note }),
      };
      if (revoke === undefined) invocation.exitCode = await makeToken(connect(flags), body);
      else if (Object.keys(body).length === 0) {
        invocation.exitCode = await revokeToken(connect(flags), revoke);
      } else throw new CliError("--revoke goes with no other option of a token", EXIT.usage);
    });
  addClientCommand(group, "tokens", "Show the tokens there are and what each is worth").action(
    async (flags: ClientFlags) => {
      const { listTokens } = await import("./token.ts");
      invocation.exitCode = await listTokens(connect(flags));
    },
  );
}
