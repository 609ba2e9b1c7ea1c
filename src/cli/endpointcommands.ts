import type { Command } from "commander";
import { parseDurationMs } from "../config/units.ts";
import type { EndpointCommand } from "./endpoint.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";

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
  connect(flags: GroupFlags): EndpointCommand;
  /** Takes the exit code of the command that ran. */
  finish(code: ExitCode): void;
}

const EXAMPLES = `
Examples:
  llmlb endpoint add http://gpu1:8080                 any OpenAI-compatible server
  llmlb endpoint add http://gpu2:11434 --name ollama  with a name of your own
  llmlb endpoint list
  llmlb endpoint test gpu1:8080
  llmlb endpoint token --expires 1h                   let one node join by itself`;

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

interface AddFlags extends GroupFlags {
  name?: string;
  key?: string;
  slots?: string;
  notes?: string;
}

function addAdd(group: Command, parts: GroupParts): void {
  command(group, parts, "add", "Add an endpoint; it is found out what answers there")
    .argument("<base-url>", "Its address, e.g. http://gpu1:8080 (a key as http://KEY@host)")
    .option("--name <name>", "Name to show (default: host and port)")
    .option("--key <key>", "Key to send to the endpoint")
    .option("--slots <number>", "Requests it works on at once (default: as it says, or 8)")
    .option("--notes <text>", "Anything to remember")
    .action(async (base_url: string, flags: AddFlags) => {
      const { addEndpoint } = await import("./endpoint.ts");
      const { name, key: api_key, notes } = flags;
      const slots = flags.slots === undefined ? {} : { slots: number("--slots", flags.slots) };
      const more = {
        ...(name === undefined ? {} : { name }),
        ...(api_key === undefined ? {} : { api_key }),
        ...(notes === undefined ? {} : { notes }),
      };
      parts.finish(await addEndpoint(parts.connect(flags), { base_url, ...slots, ...more }));
    });
}

interface TokenFlags extends GroupFlags {
  expires?: string;
  uses?: string;
  note?: string;
}

function addToken(group: Command, parts: GroupParts): void {
  command(group, parts, "token", "Make a token with which a node enrols: llmlb node --join")
    .option("--expires <time>", "How long it can be used (default 24h)")
    .option("--uses <number>", "How many nodes it lets in (default 1)")
    .option("--note <text>", "What it is for")
    .action(async (flags: TokenFlags) => {
      const { makeToken } = await import("./endpoint.ts");
      const { expires, uses, note } = flags;
      const ms = expires === undefined ? undefined : parseDurationMs(expires);
      if (expires !== undefined && (ms === undefined || ms < 1000)) {
        throw new CliError(`--expires ${expires}: must be a time such as 30m or 24h`, EXIT.usage);
      }
      const body = {
        ...(ms === undefined ? {} : { expires_in_secs: Math.round(ms / 1000) }),
        ...(uses === undefined ? {} : { max_uses: number("--uses", uses) }),
        ...(note === undefined ? {} : { note }),
      };
      parts.finish(await makeToken(parts.connect(flags), body));
    });
}

function command(group: Command, parts: GroupParts, name: string, description: string): Command {
  const made = group.command(name).description(description).option("--json", "Print JSON");
  return parts.addServerOptions(made);
}

function number(flag: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new CliError(`${flag} ${text}: must be a whole number of at least 1`, EXIT.usage);
}
