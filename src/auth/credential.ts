/**
 * The key that a request carries: the bearer token of `Authorization`, else `x-api-key`, else what
 * `Authorization` has in another scheme. Undefined without any.
 */
export function credentialOf(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  if (authorization === null) return headers.get("x-api-key") ?? undefined;
  const [, bearer] = /^bearer\s+(.*)$/i.exec(authorization) ?? [];
  return bearer?.trim() ?? headers.get("x-api-key") ?? authorization;
}
