import { type ZodType, z } from "zod";
import { parseFingerprint } from "../../lib/fingerprint.ts";
import { listOf, objectShape, type Shape, TEXT_SHAPE, valueSchema } from "./schema.ts";

/** An endpoint named in the configuration. */
export interface EndpointSetting {
  /** Shown in errors, logs and `/health`; the URL's host when not given. */
  name: string;
  /** Base URL without `/v1`, e.g. `http://gpu1:8080`; see `apiBase`. */
  url: string;
  /** What it is asked with: see `authorizationOf`. */
  apiKey?: string;
  /** Its models, where it has no list of them. */
  models?: string[];
  /** Fingerprint of the only certificate that is accepted from it. */
  fingerprint?: string;
}

const NAMED = /^([\w.-]+)=(.+)$/;

/** The name of the local node in standalone mode; no other endpoint may have it. */
export const LOCAL_ENDPOINT = "local";

const NO_NAMES = "models: must be a list of names";

/** An endpoint object of config.json. */
export const EndpointObject = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, "name: may have letters, digits, dot, dash, underscore"),
  url: z.string(),
  api_key: z.string().min(1, "api_key: must not be empty").optional(),
  models: z.array(z.string().min(1, NO_NAMES), NO_NAMES).optional(),
  tls_fingerprint: z
    .string()
    .refine(
      (text) => parseFingerprint(text) !== undefined,
      "tls_fingerprint: must be the SHA-256 fingerprint of a certificate",
    )
    .optional(),
});

/** A URL, or an object. */
export const ENDPOINT_SHAPE: Shape = {
  anyOf: [TEXT_SHAPE, objectShape(EndpointObject.partial({ name: true }))],
};

/** A list of endpoints: `[name=]url` or `{name, url, api_key, models}` each. */
export function endpointList(): ZodType<EndpointSetting[]> {
  return listOf(readEndpoint, endpointConflict, ENDPOINT_SHAPE);
}

/** A base URL without slash at its end. */
export function baseUrl(): ZodType<string> {
  return valueSchema("must be a URL such as http://10.0.0.5:32768", (value) => {
    const parsed = typeof value === "string" ? parseEndpoint(value) : "";
    return typeof parsed === "string" ? undefined : parsed.url;
  });
}

/**
 * Reads `URL` or `name=URL`; a key may stand in the URL as `http://KEY@host`, a name with a
 * password as `http://user:password@host`. A trailing `/v1` is dropped; the default name is the
 * URL's host. Returns a message instead if it is wrong.
 */
export function parseEndpoint(text: string): EndpointSetting | string {
  const [, name, rest] = NAMED.exec(text) ?? [];
  const url = parseBase(rest ?? text);
  if (typeof url === "string") return url;
  const key = keyIn(url);
  url.username = "";
  url.password = "";
  return {
    name: name ?? url.host,
    url: baseOf(url),
    ...(key === "" ? {} : { apiKey: key }),
  };
}

/** Reads `[name=]URL` or an object of config.json. Returns a message instead if it is wrong. */
export function readEndpoint(value: unknown): EndpointSetting | string {
  if (typeof value === "string") return parseEndpoint(value);
  const result = EndpointObject.partial({ name: true }).safeParse(value);
  if (!result.success) return result.error.issues[0]?.message ?? "must be an object or a URL";
  const { name, url, api_key, models, tls_fingerprint } = result.data;
  const fingerprint = parseFingerprint(tls_fingerprint ?? "");
  const parsed = parseEndpoint(url);
  if (typeof parsed === "string") return parsed;
  return {
    ...parsed,
    ...(name === undefined ? {} : { name }),
    ...(api_key === undefined ? {} : { apiKey: api_key }),
    ...(models === undefined ? {} : { models }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
}

/** A message if a name of the list is reserved or stands twice. */
function endpointConflict(endpoints: EndpointSetting[]): string | undefined {
  const seen = new Set<string>();
  for (const { name } of endpoints) {
    if (name === LOCAL_ENDPOINT)
      return `the name "${name}" is taken by the local node: choose another`;
    if (seen.has(name)) return `two endpoints are named "${name}": name one with name=URL`;
    seen.add(name);
  }
  return undefined;
}

/** A URL with the credentials in it hidden, for messages. */
export function maskUrl(text: string): string {
  return text.replace(/\/\/[^/\s"]*@/g, "//***@");
}

function parseBase(text: string): URL | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "must be a URL such as http://gpu1:8080, or name=URL";
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return "must be a URL that starts with http:// or https://";
  }
  if (url.search !== "" || url.hash !== "") return "must be a base URL without ? or #";
  return url;
}

/** The value of `Authorization` for a key: `Bearer`, unless it is a user with a password. */
export function authorizationOf(key: string): string {
  return key.startsWith(BASIC) ? key : `Bearer ${key}`;
}

const BASIC = "Basic ";

/** The credentials in a URL: a key, or a user with a password as `Authorization` has them. */
function keyIn({ username, password }: URL): string {
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === "" || secret === "") return user + secret;
  return BASIC + Buffer.from(`${user}:${secret}`).toString("base64");
}

/** The text behind percent signs; as it is where they mean nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A key with a bare % in it.
  }
}

function baseOf(url: URL): string {
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/(?<!:\/)\/v1$/, "");
}
