import { ClientError } from "./failure.ts";

/** What ends a body (RFC 9112, 6.3): its length, the last chunk, or the connection's end. */
export type Framing = "length" | "chunked" | "close";

/** Status line and headers of an answer. */
export interface ResponseHead {
  status: number;
  /** Lower-case names, each followed by its value. */
  headers: string[];
  framing: Framing;
  /** Bytes of the body; 0 with another framing than `length`. */
  length: number;
  /** The server keeps the connection open after the answer. */
  keepAlive: boolean;
}

/** Most headers of one answer. More are an attack or a mistake. */
const HEADERS_MAX = 200;

const STATUS = /^HTTP\/1\.[01] [1-5]\d\d(?:[ \r]|$)/;

/** Which characters names may have, and values: one walk costs less than patterns for each line. */
const NAME_CHARACTERS = charactersOf(/[!#$%&'*+.^_`|~0-9A-Za-z-]/);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not occur.
const VALUE_CHARACTERS = charactersOf(/[^\0-\x08\n-\x1f\x7f]/);

function charactersOf(pattern: RegExp): boolean[] {
  return Array.from({ length: 256 }, (_, code) => pattern.test(String.fromCharCode(code)));
}

/** The value of a header (`name` in lower case), or undefined. */
export function headerOf({ headers }: ResponseHead, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

/**
 * Parses the text before the empty line. Refuses what two readers could understand differently (RFC
 * 9112, 11.2: response splitting and smuggling): a second length, a length beside chunks, folded
 * lines, bare line ends, control characters. Throws `ClientError`.
 */
export function parseHead(text: string, toHead: boolean): ResponseHead {
  const { status, end } = statusLineOf(text);
  const headers: string[] = [];
  let length: number | undefined;
  let coding: string | undefined;
  let connection = "";
  for (let at = end; at < text.length; ) {
    const start = at + LINE_END.length;
    const colon = past(text, start, NAME_CHARACTERS);
    at = past(text, colon + 1, VALUE_CHARACTERS);
    if (colon === start || text[colon] !== ":" || !endsLine(text, at)) {
      throw malformed("a header is not well-formed");
    }
    const name = text.slice(start, colon).toLowerCase();
    const value = text.slice(colon + 1, at).trim();
    if (headers.push(name, value) > 2 * HEADERS_MAX) throw malformed("too many headers");
    if (name === "content-length") {
      if (length !== undefined) throw malformed("two lengths");
      length = lengthOf(value);
    } else if (name === "transfer-encoding") {
      if (coding !== undefined) throw malformed("two transfer encodings");
      coding = value.toLowerCase();
    } else if (name === "connection") {
      connection = connection === "" ? value : `${connection},${value}`;
    }
  }
  if (coding !== undefined) {
    if (length !== undefined) throw malformed("a length beside a transfer encoding");
    if (coding !== "chunked" || !text.startsWith("1.1", 5)) {
      throw malformed(`the transfer encoding ${coding.slice(0, 40)}`);
    }
  }
  const bodyless = toHead || status === 204 || status === 304 || status < 200;
  const framing = bodyless || length !== undefined ? "length" : coding ? "chunked" : "close";
  const keepAlive = keepsAlive(connection, text.charCodeAt(7) === 49);
  return { status, headers, framing, length: bodyless ? 0 : (length ?? 0), keepAlive };
}

function statusLineOf(text: string): { status: number; end: number } {
  const end = past(text, 0, VALUE_CHARACTERS);
  if (STATUS.test(text) && endsLine(text, end)) return { status: Number(text.slice(9, 12)), end };
  throw malformed("it does not begin with an HTTP/1.1 status line");
}

const LINE_END = "\r\n";

/** Where the first character stands that is none of these. */
function past(text: string, start: number, characters: boolean[]): number {
  let at = start;
  while (characters[text.charCodeAt(at)] === true) at += 1;
  return at;
}

function endsLine(text: string, at: number): boolean {
  return at >= text.length || text.startsWith(LINE_END, at);
}

function lengthOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw malformed("its length is no number");
  return Number(value);
}

/** Whether a connection stays open, by all its `Connection` lines (RFC 9112, 9.3). */
function keepsAlive(connection: string, isHttp11: boolean): boolean {
  if (connection === "") return isHttp11;
  const options = connection.split(",").map((option) => option.trim().toLowerCase());
  return !options.includes("close") && (isHttp11 || options.includes("keep-alive"));
}

/** The failure of a server that speaks no proper HTTP/1.1. */
export function malformed(what: string, cause?: unknown): ClientError {
  return new ClientError("malformed", `Reading the answer failed: ${what}.`, cause);
}
