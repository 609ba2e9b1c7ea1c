/** The two forms of an endpoint's address. */
export interface EndpointAddress {
  /** What the operator wrote, without credentials and white space around it. */
  shown: string;
  /** What makes it unique: two texts that mean the same address have the same key. */
  key: string;
}

/**
 * Reads a base URL. In the key, scheme and host are lower case, default ports, trailing slashes
 * and a final `/v1` are gone. Throws `TypeError` if it is no `http` or `https` URL.
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
