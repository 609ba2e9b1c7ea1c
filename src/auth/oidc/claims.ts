import type { Role } from "../../wire/permission.ts";

/** What a provider says of somebody: of the ID token, and of its user info. */
export type Claims = Readonly<Record<string, unknown>>;

/** Each may be two units of UTF-16, and a number is added: names have 64 in all. */
const NAME_CHARS_MAX = 30;

/** The role that claims stand for; undefined where no claim is set to say so. */
export function roleOf(
  claims: Claims,
  { oidcRoleClaim: claim, oidcAdminValues }: RoleMapping,
): Role | undefined {
  if (claim === null) return undefined;
  const value = claims[claim] ?? valueAt(claims, claim.split("."));
  const values = Array.isArray(value) ? value : typeof value === "string" ? value.split(/\s+/) : [];
  return values.some((one) => oidcAdminValues.includes(String(one))) ? "admin" : "viewer";
}

export interface RoleMapping {
  oidcRoleClaim: string | null;
  oidcAdminValues: string[];
}

/** What a new user is to be called: names that fit, the best first, all of them different. */
export function* userNames(claims: Claims): Generator<string> {
  const given = [claims.preferred_username, claims.email, claims.name, claims.sub];
  const name = given.map(cleanName).find((one) => one !== "") ?? "user";
  yield name;
  for (let n = 2; n < 100; n += 1) yield `${name}-${n}`;
}

function cleanName(value: unknown): string {
  if (typeof value !== "string") return "";
  const text = value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return [...text].slice(0, NAME_CHARS_MAX).join("").trim();
}

function valueAt(value: unknown, path: string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return valueAt((value as Record<string, unknown>)[key], rest);
}
