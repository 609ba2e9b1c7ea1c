/** Ends in the version of an API, or in what follows one: `/api/paas/v4`, `/v1beta/openai`. */
const VERSIONED = /[^/]\/v\d+(?:(?:alpha|beta)\d*)?(?:\/openai)?$/i;

/** Puts paths below a base URL. */
export interface ApiBase {
  /** The URL of a path as clients and translations write it, query included. */
  urlOf(path: string): string;
}

/**
 * The base URL of an API whose paths begin with `/v1`. People paste that of an SDK, which ends in
 * its version: a `/v1` is not said twice, and any other version stands for it, as it is given.
 */
export function apiBase(url: string): ApiBase {
  const base = url.replace(/\/+$/, "").replace(/(?<!:\/)\/v1$/, "");
  if (!VERSIONED.test(base)) return { urlOf: (path) => base + path };
  return { urlOf: (path) => base + (path.startsWith("/v1/") ? path.slice(3) : path) };
}
