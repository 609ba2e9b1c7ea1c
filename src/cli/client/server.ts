import type { ClientSettings } from "../../config/clientsettings.ts";
import type { Settings } from "../../config/settings.ts";
import { listPidFiles } from "../process/pidfile.ts";
import { localKeyOf } from "./localkey.ts";

/** A running llmlb, or another OpenAI-compatible server, that a client command talks to. */
export interface Server {
  /** Base URL without `/v1`. */
  url: string;
  apiKey?: string;
  /** Where it listens, if it runs from this data folder: `url` with the address of `--host`. */
  boundUrl?: string;
}

/** The named server; else one that runs from this data folder; else the address of the settings. */
export function findServer(client: ClientSettings, { home, host, port }: Settings): Server {
  const given = client.apiKey === undefined ? {} : { apiKey: client.apiKey };
  if (client.url !== undefined) return { url: client.url, ...given };
  const running = listPidFiles(home);
  const found =
    running.find((entry) => entry.port === port) ??
    running.find((entry) => entry.mode !== "node") ??
    running[0];
  const apiKey = client.apiKey ?? (found && localKeyOf(found, home));
  const key = apiKey === undefined ? {} : { apiKey };
  const bound = found === undefined ? {} : { boundUrl: found.url };
  return { url: reachableUrl(found?.url ?? `http://${host}:${port}`), ...bound, ...key };
}

/** The URL under which this machine reaches a server that listens on all addresses. */
export function reachableUrl(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
