import { ConfigError } from "./error.ts";
import { parseEndpoint } from "./values/endpoint.ts";

/** How a client command reaches a running llmlb. */
export interface ClientSettings {
  /** Base URL; absent: the command finds a running llmlb itself. */
  url?: string;
  apiKey?: string;
}

/** Flags and environment variables of the client commands. */
interface ClientSources {
  flags: { url?: string; apiKey?: string };
  env: Record<string, string | undefined>;
}

/** Reads `--url`, `LLMLB_URL`, `--api-key`, `LLMLB_API_KEY`. Throws `ConfigError` for a bad URL. */
export function loadClientSettings({ flags, env }: ClientSources): ClientSettings {
  const apiKey = flags.apiKey ?? (env.LLMLB_API_KEY || undefined);
  const given = flags.url ?? (env.LLMLB_URL || undefined);
  const key = apiKey === undefined ? {} : { apiKey };
  if (given === undefined) return key;
  const parsed = parseEndpoint(given);
  if (typeof parsed === "string") {
    const name = flags.url === undefined ? "LLMLB_URL=" : "--url ";
    throw new ConfigError(`${name}${given}: must be a URL such as http://127.0.0.1:32768`);
  }
  const { url, apiKey: urlKey } = parsed;
  return { url, ...(urlKey === undefined ? {} : { apiKey: urlKey }), ...key };
}
