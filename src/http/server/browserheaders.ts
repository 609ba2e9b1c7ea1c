/** A year. Not for names below this one, which other servers may have. */
const TRANSPORT_SECURITY = "max-age=31536000";

/**
 * Pages load nothing from elsewhere, run no script that is not a file of this server, and stand in
 * no frame. A page that says something else itself is left as it is.
 */
const OF_PAGES = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; " +
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
};

/**
 * On a browser's own machine a name is every program's: that one speaks HTTPS says nothing about
 * the others, which would not be reached any more.
 */
const HAS_TLS_FOR_OTHERS = /^https:\/\/(?!localhost[:/]|127\.|\[::1\])/;

/**
 * Tells browsers how an answer of ours may be used: not as another type than it says, with TLS only
 * by TLS from now on, and what pages may do. `url` is that of the request.
 */
export function setBrowserHeaders(headers: Headers, url: string): void {
  headers.set("x-content-type-options", "nosniff");
  if (HAS_TLS_FOR_OTHERS.test(url)) headers.set("strict-transport-security", TRANSPORT_SECURITY);
  if (headers.get("content-type")?.startsWith("text/html") !== true) return;
  for (const [name, value] of Object.entries(OF_PAGES)) {
    if (!headers.has(name)) headers.set(name, value);
  }
}

/** Whether a request is a browser's for a page, by what it accepts. */
export function wantsPage(request: Request): boolean {
  return request.headers.get("accept")?.includes("text/html") === true;
}
