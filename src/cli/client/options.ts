import type { Command } from "commander";
import { type ClientSettings, loadClientSettings } from "../../config/clientsettings.ts";
import { environment } from "../../config/environment.ts";
import { loadSettings } from "../../config/precedence.ts";
import type { Settings } from "../../config/settings.ts";
import { trustAuthorities } from "../../http/client/trust.ts";
import { findServer, type Server } from "./server.ts";

/** Flags that say which server a command talks to. */
export interface ServerFlags {
  url?: string;
  apiKey?: string;
  home?: string;
}

/** Flags that every command of a running llmlb takes. */
export interface ClientFlags extends ServerFlags {
  json?: true;
}

/** The server that a command talks to, and how the command prints. */
export interface ClientContext {
  server: Server;
  /** Print the server's answer as it is. */
  json: boolean;
}

/** Adds a command that talks to a running llmlb, with `--json` and the options of its server. */
export function addClientCommand(parent: Command, name: string, description: string): Command {
  const command = parent.command(name).description(description);
  return addServerOptions(command.option("--json", "Print JSON"));
}

/** Adds the options that say which server a command talks to. */
export function addServerOptions(command: Command): Command {
  return command
    .option("--url <url>", "Server to talk to (default: the llmlb that runs here) [LLMLB_URL]")
    .option("--api-key <key>", "Key to send [LLMLB_API_KEY]")
    .option("--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]");
}

/** The settings behind the options of a server. Throws `ConfigError`. */
export function loadClient({ home, ...flags }: ServerFlags): {
  client: ClientSettings;
  settings: Settings;
} {
  const env = environment();
  const { settings } = loadSettings({ flags: home === undefined ? {} : { home }, env });
  trustAuthorities(settings.tlsCa);
  return { client: loadClientSettings({ flags, env }), settings };
}

/** Finds the server that a command talks to. Throws `ConfigError`. */
export function connect({ json, ...flags }: ClientFlags): ClientContext {
  const { client, settings } = loadClient(flags);
  return { server: findServer(client, settings), json: json === true };
}
