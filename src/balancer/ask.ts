import { readBytes } from "../http/body.ts";
import type { Endpoint } from "./endpoint.ts";

/** What came of a question: JSON (undefined where it was none), or how it failed. */
export type Answer =
  | { ok: true; json: unknown; text: string; server: string; latencyMs: number }
  | {
      ok: false;
      failure: "connection" | "status";
      reason: string;
      /** Null when nothing answered. */
      latencyMs: number | null;
    };

export interface AskOptions {
  timeoutMs: number;
  /** Aborts the question. */
  signal: AbortSignal;
}

/** No answer to our own questions is ever this long. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Asks an endpoint (`GET path`) on a connection of its own, with its key. Never throws. */
export async function ask(
  endpoint: Endpoint,
  path: string,
  { timeoutMs, signal }: AskOptions,
): Promise<Answer> {
  const target = endpoint.target(path);
  const startedAt = performance.now();
  const latencyMs = () => Math.round((performance.now() - startedAt) * 10) / 10;
  try {
    const answer = await fetch(target.url, {
      headers: { ...target.headers, accept: "application/json" },
      redirect: "manual",
      // A connection of its own: what is checked is that new ones are accepted.
      keepalive: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      const reason = `GET ${path} answered HTTP ${answer.status}${adviceFor(answer.status)}`;
      return { ok: false, failure: "status", reason, latencyMs: latencyMs() };
    }
    const text = new TextDecoder().decode(await readBytes(answer, ANSWER_BYTES_MAX));
    const server = answer.headers.get("server") ?? "";
    return { ok: true, json: parsed(text), text, server, latencyMs: latencyMs() };
  } catch (error) {
    return { ok: false, failure: "connection", reason: describe(error, path), latencyMs: null };
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return ": its API key is missing or wrong";
  return status >= 300 && status < 400 ? ": redirects are not followed" : "";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Whoever asked sees that it is no JSON.
  }
}

function describe(error: unknown, path: string): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `GET ${path} was not answered in time`;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? (WORDS[code] ?? code) : error.message;
}

const WORDS: Record<string, string> = {
  ConnectionRefused: "the connection was refused",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  ConnectionClosed: "the connection was closed",
  FailedToOpenSocket: "no connection could be opened: does the name resolve?",
};
