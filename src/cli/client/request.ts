import { z } from "zod";
import { authorizationOf } from "../../config/values/endpoint.ts";
import { ClientError, connectionProblem } from "../../http/client/failure.ts";
import { fetchTls } from "../../http/client/trust.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { printable } from "../terminal/output.ts";
import { pinnedFetch } from "./pinnedfetch.ts";
import type { Server } from "./server.ts";

/** A request of a client command. */
interface ServerRequest {
  /** Default: POST with a body, GET without. */
  method?: string;
  /** Sent as JSON. */
  body?: object;
  signal?: AbortSignal;
}

/** Sends a request and parses the answer. Throws `CliError` for an error or another shape. */
export async function requestJson<T>(
  server: Server,
  path: string,
  schema: z.ZodType<T>,
  request: ServerRequest = {},
): Promise<T> {
  const response = await sendRequest(server, path, request);
  const result = schema.safeParse(await response.json().catch(() => undefined));
  if (result.success) return result.data;
  throw new CliError(`${server.url} answered ${path} in another way than this llmlb understands.`);
}

/** Sends a request. Throws `CliError`: exit code 3 without an answer, else the server's error. */
export async function sendRequest(
  server: Server,
  path: string,
  request: ServerRequest = {},
): Promise<Response> {
  const response = await fetchFrom(server, path, request);
  if (response.ok) return response;
  throw new CliError(await refusalText(response));
}

/** Sends a request and returns any answer. Throws `CliError` (exit code 3) if there is none. */
export async function fetchFrom(
  server: Server,
  path: string,
  { method, body, signal }: ServerRequest = {},
): Promise<Response> {
  const headers = new Headers();
  if (server.apiKey !== undefined) headers.set("authorization", authorizationOf(server.apiKey));
  if (body !== undefined) headers.set("content-type", "application/json");
  const options = {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  };
  const url = server.url + path;
  const { fingerprint } = server;
  try {
    if (fingerprint !== undefined) return await pinnedFetch({ url, fingerprint, ...options });
    // A model may take minutes to load before the first byte; the server has the time limit.
    return await fetch(url, { ...options, ...fetchTls(), timeout: false });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw connectionError(server, cause);
  }
}

const ErrorReply = z.object({ error: z.object({ message: z.string() }) });

/** What a refusal says, for people. */
export async function refusalText(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  let message = text.slice(0, 200);
  try {
    message = ErrorReply.parse(JSON.parse(text)).error.message;
  } catch {
    // Not the API's shape: the text as it is.
  }
  const told = `${printable(message).trim() || response.statusText} (HTTP ${response.status})`;
  return response.status === 401
    ? `${told}\n  Send a key: --api-key sk_… (or LLMLB_API_KEY)`
    : told;
}

/** The codes of Bun for certificates that it does not accept. */
const CERTIFICATE_CODE = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

function certificateError(url: string, code: string | undefined, cause: unknown): CliError {
  const lines =
    cause instanceof ClientError
      ? [`${url} is not the llmlb that runs here: ${cause.message}`]
      : [
          `The certificate of ${url} is not accepted (${code}).`,
          "  Name the authority that signed it, or the certificate itself if nobody did:",
          "  LLMLB_TLS_CA=file.pem (or tls_ca in config.json)",
        ];
  return new CliError(lines.join("\n"), EXIT.unreachable, cause);
}

function connectionError({ url }: Server, cause: unknown): CliError {
  const inner = cause instanceof ClientError ? (cause.cause ?? cause) : cause;
  const { code } = inner as NodeJS.ErrnoException;
  const isPinned = cause instanceof ClientError && cause.code === "certificate";
  if (isPinned || CERTIFICATE_CODE.test(code ?? "")) return certificateError(url, code, cause);
  const reason = connectionProblem(inner) ?? `the connection failed (${code})`;
  const lines = [
    `No llmlb answers at ${url}: ${reason}.`,
    "  Start one:              llmlb --model file.gguf",
    "  or name one that runs:  --url http://host:port (or LLMLB_URL)",
  ];
  return new CliError(lines.join("\n"), EXIT.unreachable, cause);
}
