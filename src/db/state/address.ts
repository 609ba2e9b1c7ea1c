/** The two forms of an endpoint's address. */
interface EndpointAddress {
  /** As the operator wrote it, without credentials and surrounding white space. */
  shown: string;
  /** Normalised: two texts that mean the same address have the same key. */
  key: string;
}

/**
 * Parses a base URL. The key has scheme and host in lower case and no default port, trailing slash
 * or final `/v1`. Throws `TypeError` if it is no `http` or `https` URL.
 */
export function parseAddress(text: string): EndpointAddress {
  const url = new URL(text.trim());
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`Reading an endpoint's address: ${url.protocol} is not http: or https:.`);
  }
  const path = url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "").replace(/\/+$/, "");
  const bare = text.trim().replace(/^([a-z]+:\/\/)[^/?#]*@/i, "$1");
  return { shown: bare, key: `${url.protocol}//${url.host}${path}${url.search}` };
}
