import { ClientError } from "./failure.ts";
import { isStreamed, type RequestBody } from "./upload.ts";

/** A request before it is encoded. */
export interface RequestMessage {
  method: string;
  /** Path and query. */
  path: string;
  host: string;
  /** Without `host`, `connection` and the framing of the body, which `encodeRequest` sets. */
  headers: Record<string, string>;
  body: RequestBody;
  /** Keep the connection for further requests. */
  keepAlive: boolean;
}

/** A request as it is written to a socket. */
export interface Outgoing {
  /** Request line, headers and empty line, in characters of one byte. */
  head: string;
  body: RequestBody;
}

/** Header values: visible characters, spaces and tabs, all of one byte. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Of headers that a request may have: the reserved ones are none. */
const NAME = /^(?!(?:host|connection|content-length|transfer-encoding)$)[!#$%&'*+.^_`|~0-9a-z-]+$/i;

/**
 * Encodes a request as HTTP/1.1. Throws `ClientError` for a header that would be read differently
 * on the wire, e.g. as two headers.
 */
export function encodeRequest(message: RequestMessage): Outgoing {
  const { method, path, host, headers, body, keepAlive } = message;
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (!VALUE.test(value) || !NAME.test(name)) throw unsendable(name);
    text += `${name}: ${value}\r\n`;
  }
  // Some servers refuse requests without a user agent.
  if (headers["user-agent"] === undefined) text += "user-agent: llmlb\r\n";
  if (!keepAlive) text += "connection: close\r\n";
  if (body !== null || method === "POST" || method === "PUT" || method === "PATCH") {
    text += lengthOf(body);
  }
  return { head: `${text}\r\n`, body };
}

function lengthOf(body: RequestBody): string {
  if (body === null) return "content-length: 0\r\n";
  if (!isStreamed(body)) return `content-length: ${body.byteLength}\r\n`;
  const { length } = body;
  return length === undefined ? "transfer-encoding: chunked\r\n" : `content-length: ${length}\r\n`;
}

function unsendable(name: string): ClientError {
  const shown = JSON.stringify(name.slice(0, 100));
  return new ClientError(
    "bad_request",
    `Sending a request failed: the header ${shown} is invalid.`,
  );
}
