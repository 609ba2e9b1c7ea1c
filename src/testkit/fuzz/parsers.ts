import { deepStrictEqual, ok } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { z } from "zod";
import { credentialOf } from "../../auth/credential.ts";
import { sessionCookieOf } from "../../auth/sessioncookie.ts";
import { placeOfCursor } from "../../balancer/admin/history/cursor.ts";
import { FILTER } from "../../balancer/admin/history/filter.ts";
import { readConfigFile } from "../../config/configfile.ts";
import { ConfigError } from "../../config/error.ts";
import { maskUrl, parseEndpoint } from "../../config/values/endpoint.ts";
import { judgeHost } from "../../http/server/host.ts";
import { MultipartParser } from "../../http/server/multipart.ts";
import { PageQuery } from "../../http/server/page.ts";
import type { Scope } from "../../http/server/scope.ts";
import { TrustedProxies } from "../../http/server/trustedproxies.ts";
import { isRefusedHost } from "../../http/ssrf.ts";
import { readExactJson, withoutByteMark } from "../../lib/json.ts";
import { JsonFault } from "../../lib/jsonfault.ts";
import { JsonReader } from "../../lib/jsonreader.ts";
import { GgufFormatError, GgufTruncatedError, parseGguf } from "../../model/gguf.ts";
import { NewKeyBody } from "../../wire/account.ts";
import { ApiError } from "../../wire/error.ts";
import { Manifest } from "../../wire/manifest.ts";
import { EventReader } from "../../wire/sse.ts";
import { TINY_FILE } from "../engine.ts";
import * as grammars from "./grammars.ts";
import { mutate } from "./mutant.ts";
import { fuzzText, type Grammar, pieces, type Random } from "./text.ts";

/** A parser that faces the outside, and what must be true of it whatever it is given. */
interface FuzzedParser {
  grammar: Grammar;
  /** Throws if the parser did what it must not. */
  check(text: string, random: Random, seed: number): void;
}

/** By the name that `npm run fuzz` takes. */
export const FUZZED_PARSERS: Record<string, FuzzedParser> = {
  json: { grammar: grammars.JSON_BODIES, check: checkJson },
  sse: { grammar: grammars.SSE, check: checkEvents },
  multipart: { grammar: grammars.MULTIPART, check: checkForm },
  manifest: { grammar: grammars.MANIFEST, check: checkManifest },
  gguf: { grammar: { right: [""], parts: [""] }, check: checkGguf },
  endpoint: { grammar: grammars.ADDRESSES, check: checkEndpoint },
  ssrf: { grammar: grammars.ADDRESSES, check: checkGuard },
  config: { grammar: grammars.CONFIG_FILES, check: checkConfig },
  cookie: { grammar: grammars.COOKIES, check: checkCookie },
  credential: { grammar: grammars.CREDENTIALS, check: checkCredential },
  limits: { grammar: grammars.KEYS, check: checkKey },
  host: { grammar: grammars.HOSTS, check: checkHost },
  forwarded: { grammar: grammars.FORWARDED, check: checkForwarded },
  query: { grammar: grammars.QUERIES, check: checkQuery },
};

/** One case of a parser, the same for the same seed. Throws, with the text, if it did wrong. */
export function fuzzParser(name: string, seed: number): void {
  const parser = FUZZED_PARSERS[name];
  if (parser === undefined) throw new Error(`There is no parser ${name}.`);
  const { text, random } = fuzzText(parser.grammar, seed);
  try {
    parser.check(text, random, seed);
  } catch (cause) {
    throw new Error(`${name}, seed ${seed}: ${JSON.stringify(text).slice(0, 2000)}`, { cause });
  }
}

/** What a parser makes of something, or that it refuses it with an error of these classes. */
function outcome<T>(parse: () => T, ...known: (new (...args: never[]) => Error)[]) {
  try {
    return { value: parse() };
  } catch (error) {
    if (known.some((one) => error instanceof one)) return "refused";
    throw error;
  }
}

function checkJson(text: string, random: Random): void {
  const most = 1e6;
  const limits = { depthMax: 128, exactMax: most, itemsMax: most, valuesMax: most };
  const sliceBytes = 1 + random(40);
  // Whatever reads bodies has passed over a mark before.
  const bytes = withoutByteMark(Buffer.from(text));
  const reader = new JsonReader(bytes, { ...limits, tokenBytesMax: most, sliceBytes });
  const read = outcome(() => {
    while (!reader.step());
    return reader.value;
  }, JsonFault);
  const expected = outcome(() => {
    const value = readExactJson(Buffer.from(text).toString());
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    throw new SyntaxError("no object");
  }, SyntaxError);
  deepStrictEqual(JSON.stringify(read), JSON.stringify(expected));
  ok(!("polluted" in {}));
}

function checkEvents(text: string, random: Random): void {
  const read = (all: Uint8Array[]) => {
    const reader = new EventReader();
    return [...all.flatMap((piece) => reader.push(piece)), ...reader.end()];
  };
  deepStrictEqual(read(pieces(text, random)), read([Buffer.from(text)]));
}

function checkForm(text: string, random: Random): void {
  const read = (all: Uint8Array[]) =>
    outcome(() => {
      const parser = new MultipartParser("b");
      for (const piece of all) parser.push(Buffer.from(piece));
      parser.end();
      return { fields: parser.fields, files: parser.files };
    }, ApiError);
  deepStrictEqual(read(pieces(text, random)), read([Buffer.from(text)]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // no JSON: any other value will do
  }
}

function checkManifest(text: string): void {
  const { data } = Manifest.safeParse(jsonOf(text));
  for (const { filename } of data?.artifacts ?? []) {
    ok(resolve("/models/m", filename).startsWith(`/models/m${sep}`));
    ok(!/[\p{Cc}\\:]/u.test(filename));
  }
}

let model: Buffer | undefined;

function checkGguf(_: string, __: Random, seed: number): void {
  model ??= readFileSync(TINY_FILE).subarray(0, 64 * 1024);
  const { bytes } = mutate(model, 60_000, seed);
  outcome(() => parseGguf(bytes), GgufFormatError, GgufTruncatedError);
}

function checkEndpoint(text: string): void {
  const read = parseEndpoint(text);
  ok(typeof read === "string" || /^https?:$/.test(new URL(read.url).protocol));
  maskUrl(text);
}

/** Every spelling of a link-local address is refused, whatever stands around it. */
function checkGuard(text: string, random: Random): void {
  const host = URL.parse(text)?.hostname.replace(/^\[|\]$/g, "");
  if (host !== undefined) isRefusedHost(host);
  const [c, d] = [random(256), random(256)];
  const group = (a: number, b: number) => ((a << 8) | b).toString(16);
  const spelled = [
    `169.254.${c}.${d}`,
    `${((169 << 24) | (254 << 16) | (c << 8) | d) >>> 0}`,
    `0xa9fe${group(c, d).padStart(4, "0")}`,
    `0251.0376.${(c << 8) | d}`,
    `[::ffff:169.254.${c}.${d}]`,
    `[::ffff:a9fe:${group(c, d)}]`,
    `[64:ff9b::a9fe:${group(c, d)}]`,
    `[2002:a9fe:${group(c, d)}::1]`,
    `[fe80::${group(c, d)}]`,
  ];
  for (const one of spelled) {
    const { hostname } = new URL(`http://u:p@${one}:${random(65_536)}/x`);
    ok(isRefusedHost(hostname.replace(/^\[|\]$/g, "")), one);
  }
}

function checkConfig(text: string): void {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-fuzz-"));
  try {
    const path = join(folder, "config.json");
    writeFileSync(path, text);
    outcome(() => readConfigFile(path), ConfigError);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A request's header; undefined: HTTP does not let it through. */
function headersOf(name: string, value: string): Headers | undefined {
  try {
    return new Headers({ [name]: value });
  } catch {
    return undefined; // the server's own parser has refused it before
  }
}

function checkCookie(text: string): void {
  const headers = headersOf("cookie", text);
  if (headers === undefined) return;
  const raw = new Request("http://localhost/", { headers });
  const scope = { req: { raw, url: raw.url }, env: {}, get: () => undefined };
  const token = sessionCookieOf(scope as unknown as Scope);
  ok(token === undefined || (text.includes(token) && !token.includes(";")));
}

function checkCredential(text: string, random: Random): void {
  const names = ["authorization", "x-api-key", "x-goog-api-key", "api-key", "x-nothing"];
  const headers = headersOf(names[random(names.length)] ?? "", text) ?? new Headers();
  const found = credentialOf(headers, `http://a/?${text}`);
  ok(found === undefined || typeof found === "string");
}

function checkKey(text: string): void {
  const { data } = NewKeyBody.safeParse(jsonOf(text));
  const { priority: _, ...numbers } = data?.limits ?? {};
  for (const value of Object.values(numbers)) ok(value === null || (value ?? 0) >= 0);
}

function checkHost(text: string): void {
  const verdict = judgeHost(text, { machine: "box", allowed: [".lan.example"] });
  if (verdict !== "own" || text === "") return;
  const url = new URL(`http://${text.replace(/%[^\]]*\]/, "]")}`);
  const host = url.hostname.replace(/^\[|\]$|\.$/g, "").toLowerCase();
  const isOwn = /(?:^|\.)(?:localhost|lan\.example)$|^box(?:\.local)?$/.test(host);
  ok(isOwn || isIP(host) !== 0, host);
}

const proxies = new TrustedProxies(["10.0.0.0/8", "::1"]);

function checkForwarded(text: string): void {
  const client = proxies.clientIn(text);
  ok(client === undefined || isIP(client) !== 0);
}

function checkQuery(text: string): void {
  const query = Object.fromEntries(new URLSearchParams(text));
  PageQuery.safeParse(query);
  outcome(() => z.object(FILTER).safeParse(query), ApiError);
  const place = outcome(() => placeOfCursor(text), ApiError);
  ok(place === "refused" || Number.isSafeInteger(place.value.seq));
}
