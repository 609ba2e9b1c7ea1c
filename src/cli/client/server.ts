import { z } from "zod";
import type { ClientSettings } from "../../config/clientsettings.ts";
import type { Settings } from "../../config/settings.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { listPidFiles } from "../process/pidfile.ts";
import { printable } from "../terminal/terminal.ts";

/** A running llmlb, or another OpenAI-compatible server, that a client command talks to. */
export interface Server {
  /** Base URL without `/v1`. */
  url: string;
  apiKey?: string;
}

/** The server that was named, else one that runs from this home, else where one would listen. */
export function findServer(client: ClientSettings, { home, host, port }: Settings): Server {
  const key = client.apiKey === undefined ? {} : { apiKey: client.apiKey };
  if (client.url !== undefined) return { url: client.url, ...key };
  const running = listPidFiles(home);
  const found =
    running.find((entry) => entry.port === port) ??
    running.find((entry) => entry.mode !== "node") ??
    running[0];
  return { url: reachable(found?.url ?? `http://${host}:${port}`), ...key };
}

/** The address under which a server that listens everywhere is reached from this machine. */
export function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

export interface ServerRequest {
  /** Default: POST with a body, GET without. */
  method?: string;
  /** Sent as JSON. */
  body?: object;
  signal?: AbortSignal;
}

/** Sends a request. Throws `CliError`: exit code 3 if nothing answers, else the server's error. */
export async function send(
  server: Server,
  path: string,
  request: ServerRequest = {},
): Promise<Response> {
  const response = await tryToSend(server, path, request);
  if (response.ok) return response;
  throw new CliError(await errorMessage(response));
}

/** Sends a request and returns any answer. Throws `CliError` (exit code 3) if there is none. */
export async function tryToSend(
  server: Server,
  path: string,
  { method, body, signal }: ServerRequest = {},
): Promise<Response> {
  const headers = new Headers();
  if (server.apiKey !== undefined) headers.set("authorization", `Bearer ${server.apiKey}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  const options: BunFetchRequestInit = {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    // A model may take minutes to load before the first byte; the server has the time limit.
    timeout: false,
  };
  try {
    return await fetch(server.url + path, options);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw unreachable(server, cause);
  }
}

const ErrorReply = z.object({ error: z.object({ message: z.string() }) });

async function errorMessage(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  let message = text.slice(0, 200);
  try {
    message = ErrorReply.parse(JSON.parse(text)).error.message;
  } catch {
    // Not the API's shape: the text as it is.
  }
  return `${printable(message).trim() || response.statusText} (HTTP ${response.status})`;
}

function unreachable({ url }: Server, cause: unknown): CliError {
  const { code } = cause as NodeJS.ErrnoException;
  const refused = code === "ConnectionRefused" || code === "ECONNREFUSED";
  const reason = refused ? "the connection was refused" : `the connection failed (${code})`;
  const lines = [
    `No llmlb answers at ${url}: ${reason}.`,
    "  Start one:          llmlb --model file.gguf",
    "  or name a running:  --url http://host:port (or LLMLB_URL)",
  ];
  return new CliError(lines.join("\n"), EXIT.unreachable, cause);
}
