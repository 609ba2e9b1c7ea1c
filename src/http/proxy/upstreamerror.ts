import { asBuffer } from "../../lib/buffer.ts";
import { parseJson } from "../../lib/json.ts";
import { ApiError, type Dialect, errorBody } from "../../wire/error.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";
import type { AnswerBody } from "../client/body.ts";

/** The error response of a target. */
export interface UpstreamError {
  /** 400 or above. */
  status: number;
  bytes: Uint8Array;
  /** The API of the client. */
  dialect: Dialect;
  requestId: string;
  /** The target's name in errors. */
  label: string;
}

/**
 * Translates an error that is not in the shape of the client's API: a text or an HTML page, as from
 * servers that do not know the route, or the shape of another API. Returns the new body; undefined
 * if the error can pass unchanged.
 */
export function errorInDialect(answer: UpstreamError): Uint8Array | undefined {
  const { status, dialect, requestId, label } = answer;
  const text = new TextDecoder().decode(answer.bytes);
  const json = parseJson(text);
  if (isIn(dialect, json)) return undefined;
  const { kind, message, code, param } = readUpstreamError(status, json ?? text);
  // A bare text gets its source: a reader could not tell who said it.
  const reason = message === SILENT ? "it did not say why." : message;
  const isBare = typeof json !== "object" || json === null || message === SILENT;
  const explained = isBare ? `The request failed at ${label} (${status}): ${reason}` : message;
  const error = new ApiError(kind, explained, { code, param });
  return new TextEncoder().encode(JSON.stringify(errorBody(error, dialect, requestId)));
}

/** The message of `readUpstreamError` for an error without text. */
const SILENT = "It did not say why.";

/** Whether an error has the shape of an API. OpenAI's clients accept a text as `error`, too. */
function isIn(dialect: Dialect, json: unknown): boolean {
  if (typeof json !== "object" || json === null || !("error" in json)) return false;
  if (dialect === "ollama") return typeof json.error === "string";
  return dialect !== "anthropic" || ("type" in json && json.type === "error");
}

/** Headers in which a target gets a key of ours. */
const SECRET_HEADERS = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
/** Shorter ones are no keys, and might be a word of any text. */
const SECRET_CHARS_MIN = 6;
const MASK = "***";

/**
 * An answer that does not repeat the key that the target was called with: some servers do, and
 * neither clients nor the history may see it. Looks at a body that is read whole, and at the first
 * piece of one that is not, which may be an error: what comes later passes as it is, since that
 * would cost each piece time. `headers` are those that the target got from us.
 */
export function withoutOwnSecret(body: AnswerBody, headers?: Record<string, string>): AnswerBody {
  if (headers === undefined) return body;
  const secrets = SECRET_HEADERS.map((name) => secretIn(headers[name] ?? ""));
  const known = secrets.filter((secret) => secret.length >= SECRET_CHARS_MIN);
  if (known.length === 0) return body;
  let isFirst = true;
  return {
    get ended() {
      return body.ended;
    },
    read() {
      const read = body.read();
      if (!isFirst) return read;
      isFirst = false;
      return read instanceof Promise ? read.then(clean) : clean(read);
    },
    bytes: async (limitBytes) => clean(await body.bytes(limitBytes)),
    abort: (cause) => body.abort(cause),
  };

  function clean<T extends Uint8Array | undefined>(bytes: T): T | Buffer {
    return bytes === undefined ? bytes : known.reduce(masked, asBuffer(bytes));
  }
}

function masked(bytes: Buffer, secret: string): Buffer {
  if (!bytes.includes(secret)) return bytes;
  return Buffer.from(bytes.toString("latin1").replaceAll(secret, MASK), "latin1");
}

/** The credential behind the scheme, if there is one. */
function secretIn(value: string): string {
  return value.replace(/^(?:Bearer|Basic) +/i, "");
}
