import { parseJson } from "../../lib/json.ts";
import { ApiError, type Dialect, errorBody } from "../../wire/error.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";

/** An error as a target answered it. */
export interface UpstreamError {
  /** 400 or above. */
  status: number;
  bytes: Uint8Array;
  /** Of the client's API. */
  dialect: Dialect;
  requestId: string;
  /** How errors call the target. */
  label: string;
}

/**
 * The body of an error in the client's API where a target said it in other words: in a text or a
 * page, as servers do that do not know the route, or in another API's shape. Undefined: it may pass
 * as it is.
 */
export function errorInDialect(answer: UpstreamError): Uint8Array | undefined {
  const { status, dialect, requestId, label } = answer;
  const text = new TextDecoder().decode(answer.bytes);
  const json = parseJson(text);
  if (isIn(dialect, json)) return undefined;
  const { kind, message, code, param } = readUpstreamError(status, json ?? text);
  // A bare text needs its source: nobody could tell who speaks.
  const said = message === SILENT ? "it did not say why." : message;
  const isBare = typeof json !== "object" || json === null || message === SILENT;
  const told = isBare ? `The request failed at ${label} (${status}): ${said}` : message;
  const error = new ApiError(kind, told, { code, param });
  return new TextEncoder().encode(JSON.stringify(errorBody(error, dialect, requestId)));
}

/** What is read of an error that has no words. */
const SILENT = "It did not say why.";

/** Whether clients of an API find what they look for. OpenAI's take a text for an error, too. */
function isIn(dialect: Dialect, json: unknown): boolean {
  if (typeof json !== "object" || json === null || !("error" in json)) return false;
  if (dialect === "ollama") return typeof json.error === "string";
  return dialect !== "anthropic" || ("type" in json && json.type === "error");
}
