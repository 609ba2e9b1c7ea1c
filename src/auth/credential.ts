/** Headers that hold nothing but a key: of Anthropic's, Google's and Azure's clients. */
const KEY_HEADERS = ["x-api-key", "x-goog-api-key", "api-key"] as const;

/**
 * The credential of a request, wherever clients put it:
 *
 * 1. the bearer token of `authorization`, the scheme in any case
 * 2. `x-api-key`, `x-goog-api-key`, `api-key`
 * 3. the password of `authorization: Basic`, else its user name: `http://:key@host` of Ollama's
 *    clients, and of whatever else only takes a URL
 * 4. all of an `authorization` of another scheme
 * 5. `key` in the query, as Google's clients send it
 *
 * Undefined if there is none.
 */
export function credentialOf(headers: Headers, url = ""): string | undefined {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const [, bearer] = /^bearer\s+(.*)$/i.exec(authorization) ?? [];
    if (bearer !== undefined) return bearer.trim();
  }
  for (const name of KEY_HEADERS) {
    const key = headers.get(name);
    if (key !== null) return key.trim();
  }
  if (authorization !== null) return basicPassword(authorization) ?? authorization;
  return queryKey(url);
}

/** The password of HTTP's Basic scheme, or the user name beside an empty one. */
function basicPassword(authorization: string): string | undefined {
  const [, encoded] = /^basic\s+([\w+/=-]+)\s*$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon === -1) return undefined;
  return text.slice(colon + 1) || text.slice(0, colon);
}

function queryKey(url: string): string | undefined {
  const start = url.indexOf("?");
  if (start === -1) return undefined;
  return new URLSearchParams(url.slice(start)).get("key") ?? undefined;
}
