import { ClientError, connectionProblem } from "../../http/client/failure.ts";
import { get } from "../../http/client/get.ts";
import { headerOf } from "../../http/client/head.ts";
import type { ForwardTarget } from "../../http/proxy/forward.ts";
import { HOPS_HEADER } from "../../http/proxy/hops.ts";
import { parseJson } from "../../lib/json.ts";
import { AT_ONCE_BYTES_MAX, readInTurns } from "../../lib/jsonturns.ts";
import { type ErrorKind, HOST_NOT_ALLOWED } from "../../wire/error.ts";
import { LISTED_MODELS_MAX } from "./listedmodels.ts";

/** A server that can be asked for JSON. An endpoint is one. */
export interface JsonServer {
  target(path: string): Pick<ForwardTarget, "url" | "proxy" | "guarded" | "fingerprint"> & {
    headers: Record<string, string>;
  };
}

/** The answer to `getJson`. */
export type JsonAnswer =
  | {
      ok: true;
      /** Undefined if the body is not JSON. */
      json: unknown;
      /** The length of the longest list of which only the first items were read. Default: 0. */
      longestList?: number;
      /** The first of its text. */
      text: string;
      server: string;
      latencyMs: number;
    }
  | {
      ok: false;
      failure: "connection" | "status";
      /** What it answered; undefined where nothing did. */
      status?: number;
      reason: string;
      /** Null when nothing answered. */
      latencyMs: number | null;
    };

export interface GetJsonOptions {
  timeoutMs: number;
  /** Aborts the request. */
  signal: AbortSignal;
  /** The balancers that it has passed (`Hops`), so that one notices itself. Default: none. */
  hops?: string | undefined;
}

const LOOP: ErrorKind = "loop_detected";

/** A longer answer is refused. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** Of the text as it came. */
const TEXT_BYTES = 64 * 1024;

/** Sends `GET path` with the server's key, on a new connection. Never throws. */
export async function getJson(
  server: JsonServer,
  path: string,
  { timeoutMs, signal, hops }: GetJsonOptions,
): Promise<JsonAnswer> {
  const target = server.target(path);
  const startedAt = performance.now();
  const latencyMs = () => Math.round((performance.now() - startedAt) * 10) / 10;
  try {
    const plain = { accept: "application/json", "accept-encoding": "identity" };
    const passed = hops === undefined ? {} : { [HOPS_HEADER]: hops };
    const headers = { ...target.headers, ...plain, ...passed };
    const limitBytes = ANSWER_BYTES_MAX;
    const { url, proxy, guarded, fingerprint } = target;
    const route = { url, proxy, guarded, fingerprint };
    const { head, body } = await get({ ...route, headers, timeoutMs, limitBytes, signal });
    const { status } = head;
    const text = new TextDecoder().decode(body.subarray(0, TEXT_BYTES));
    if (status < 200 || status >= 300) {
      const reason = `GET ${path} answered HTTP ${status}${adviceFor(status, text)}`;
      return { ok: false, failure: "status", status, reason, latencyMs: latencyMs() };
    }
    const answer = { text, server: headerOf(head, "server") ?? "", latencyMs: latencyMs() };
    return { ok: true, ...answer, ...(await parse(body)) };
  } catch (error) {
    return { ok: false, failure: "connection", reason: describe(error, path), latencyMs: null };
  }
}

/** Parses an answer. A long one need not stop others, and of long lists only the first is kept. */
async function parse(body: Uint8Array): Promise<{ json: unknown; longestList?: number }> {
  if (body.byteLength <= AT_ONCE_BYTES_MAX) {
    return { json: parseJson(new TextDecoder().decode(body)) };
  }
  const read = await readInTurns(body, LISTED_MODELS_MAX);
  return { json: read?.value, longestList: read?.longestList ?? 0 };
}

function adviceFor(status: number, text: string): string {
  if (status === 403 && text.includes(`"${HOST_NOT_ALLOWED}"`)) {
    return ": it does not know the host name in its address: start it with --allowed-hosts";
  }
  if (status === 508 && text.includes(`"${LOOP}"`)) {
    return ": its address is that of this balancer itself, which cannot be its own endpoint";
  }
  if (status === 401 || status === 403) return ": its API key is missing or wrong";
  if (status === 407) return ": the proxy in between wants a user and a password";
  if (status < 300 || status >= 400) return "";
  return ": redirects are not followed: set its base URL to the address that it redirects to";
}

function describe(error: unknown, path: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ClientError)) return error.message;
  if (error.code === "timeout") return `GET ${path} was not answered in time`;
  return connectionProblem(error.cause) ?? error.message;
}
