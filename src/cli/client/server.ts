import type { ClientSettings } from "../../config/clientsettings.ts";
import type { Settings } from "../../config/settings.ts";
import { hostOf, isLoopbackHost, portOf } from "../../lib/host.ts";
import { listPidFiles, type PidFile } from "../process/pidfile.ts";
import { localKeyOf } from "./localkey.ts";
import { readLogin } from "./logins.ts";

/** A running llmlb, or another OpenAI-compatible server, that a client command talks to. */
export interface Server {
  /** Base URL without `/v1`. */
  url: string;
  apiKey?: string;
  /** Of the certificate of one that runs from this data folder: that one alone is accepted. */
  fingerprint?: string;
  /** Where it listens, if it runs from this data folder: `url` with the address of `--host`. */
  boundUrl?: string;
}

/**
 * The named server; else one that runs from this data folder; else the one of `llmlb login`; else
 * the address of the settings.
 */
export function findServer(client: ClientSettings, settings: Settings): Server {
  const { home, host, port } = settings;
  const login = readLogin(home);
  const running = listPidFiles(home);
  if (client.url !== undefined) {
    const kept = login?.url === client.url ? login.api_key : undefined;
    const own = ownAt(client.url, running);
    const key = client.apiKey ?? (own && localKeyOf(own, home)) ?? kept;
    return { ...named(client.url, own), ...keyed(key) };
  }
  const found =
    running.find((entry) => entry.port === port) ??
    running.find((entry) => entry.mode !== "node") ??
    running[0];
  if (found !== undefined) {
    const key = keyed(client.apiKey ?? localKeyOf(found, home));
    return { ...serverOf(found), boundUrl: found.url, ...key };
  }
  if (login !== undefined) {
    return { url: login.url, ...keyed(client.apiKey ?? login.api_key) };
  }
  const scheme = settings.tlsCert === null ? "http" : "https";
  return { url: reachableUrl(`${scheme}://${host}:${port}`), ...keyed(client.apiKey) };
}

/** How a server that runs from this data folder is reached. */
export function serverOf({ url, tls_fingerprint: fingerprint }: PidFile): Server {
  return { url: reachableUrl(url), ...(fingerprint === undefined ? {} : { fingerprint }) };
}

/** The server of this data folder that a URL names, if it does. */
function ownAt(url: string, running: PidFile[]): PidFile | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !isLoopbackHost(hostOf(parsed))) return undefined;
  return running.find(({ port }) => portOf(parsed) === `${port}`);
}

function named(url: string, own: PidFile | undefined): Server {
  const fingerprint = url.startsWith("https:") ? own?.tls_fingerprint : undefined;
  return { url, ...(fingerprint === undefined ? {} : { fingerprint }) };
}

function keyed(apiKey: string | undefined): Pick<Server, "apiKey"> {
  return apiKey === undefined ? {} : { apiKey };
}

/** The URL under which this machine reaches a server that listens on all addresses. */
function reachableUrl(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
