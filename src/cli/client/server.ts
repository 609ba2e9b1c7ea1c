import type { ClientSettings } from "../../config/clientsettings.ts";
import type { Settings } from "../../config/settings.ts";
import { hostOf, isLoopbackHost, portOf } from "../../lib/host.ts";
import { listPidFiles, type PidFile } from "../process/pidfile.ts";
import { localKeyOf } from "./localkey.ts";

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

/** The named server; else one that runs from this data folder; else the address of the settings. */
export function findServer(client: ClientSettings, settings: Settings): Server {
  const { home, host, port } = settings;
  const given = client.apiKey === undefined ? {} : { apiKey: client.apiKey };
  const running = listPidFiles(home);
  if (client.url !== undefined) return { ...named(client.url, running), ...given };
  const found =
    running.find((entry) => entry.port === port) ??
    running.find((entry) => entry.mode !== "node") ??
    running[0];
  const apiKey = client.apiKey ?? (found && localKeyOf(found, home));
  const key = apiKey === undefined ? {} : { apiKey };
  if (found !== undefined) return { ...serverOf(found), boundUrl: found.url, ...key };
  const scheme = settings.tlsCert === null ? "http" : "https";
  return { url: reachableUrl(`${scheme}://${host}:${port}`), ...key };
}

/** How a server that runs from this data folder is reached. */
export function serverOf({ url, tls_fingerprint: fingerprint }: PidFile): Server {
  return { url: reachableUrl(url), ...(fingerprint === undefined ? {} : { fingerprint }) };
}

/** A named server may be one of this data folder, whose certificate is known. */
function named(url: string, running: PidFile[]): Server {
  const parsed = URL.parse(url);
  const own = running.find(
    ({ port }) => parsed !== null && isLoopbackHost(hostOf(parsed)) && portOf(parsed) === `${port}`,
  );
  const fingerprint = parsed?.protocol === "https:" ? own?.tls_fingerprint : undefined;
  return { url, ...(fingerprint === undefined ? {} : { fingerprint }) };
}

/** The URL under which this machine reaches a server that listens on all addresses. */
function reachableUrl(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
