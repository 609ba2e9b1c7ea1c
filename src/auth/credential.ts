/**
 * The credential of a request: the bearer token of `authorization` (the scheme in any case), else
 * `x-api-key`, else all of an `authorization` of another scheme. Undefined without these headers.
 */
export function credentialOf(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  if (authorization === null) return headers.get("x-api-key") ?? undefined;
  const [, bearer] = /^bearer\s+(.*)$/i.exec(authorization) ?? [];
  return bearer?.trim() ?? headers.get("x-api-key") ?? authorization;
}
