import type { ZodType } from "zod";
import { isLoopback } from "../loopback.ts";
import { nonEmptyText } from "../values/scalar.ts";
import { TEXTS_SHAPE, valueSchema } from "../values/schema.ts";
import type { FieldsOf } from "./field.ts";

/** Logging in by OpenID Connect; without issuer and client nobody can. */
export interface OidcSettings {
  /** The provider's URL, below which its configuration is published. */
  oidcIssuer: string | null;
  oidcClientId: string | null;
  /** Null: a public client, which PKCE alone protects. */
  oidcClientSecret: string | null;
  /** What is asked for, with blanks between. */
  oidcScopes: string;
  /** Where the provider says what roles somebody has; null: all are viewers. */
  oidcRoleClaim: string | null;
  /** Which of these roles are an admin's. */
  oidcAdminValues: string[];
}

/** Why nobody could log in by what is set; undefined if all of it is there, or nothing. */
export function oidcFault({ oidcIssuer, oidcClientId }: OidcSettings): string | undefined {
  if ((oidcIssuer === null) === (oidcClientId === null)) return undefined;
  const [given, missing] = oidcIssuer === null ? ["client-id", "issuer"] : ["issuer", "client-id"];
  return `--oidc-${given} (or its variable) is set, but --oidc-${missing} is not: set both`;
}

/** The fields of `OidcSettings`. */
export const OIDC_FIELDS: FieldsOf<OidcSettings> = {
  oidcIssuer: {
    name: "oidc_issuer",
    flags: "--oidc-issuer <url>",
    group: "Server",
    help: "OpenID Connect provider by which users log in",
    schema: () => issuerUrl(),
    fallback: () => null,
    fallbackText: "none",
  },
  oidcClientId: {
    name: "oidc_client_id",
    flags: "--oidc-client-id <id>",
    group: "Server",
    help: "What this llmlb is called there",
    schema: () => nonEmptyText("a client id"),
    fallback: () => null,
    fallbackText: "none",
  },
  oidcClientSecret: {
    name: "oidc_client_secret",
    flags: "--oidc-client-secret <secret>",
    secret: true,
    group: "Server",
    help: "Its secret there; better given as LLMLB_OIDC_CLIENT_SECRET",
    schema: () => nonEmptyText("a secret"),
    fallback: () => null,
    fallbackText: "none: a public client",
  },
  oidcScopes: {
    name: "oidc_scopes",
    flags: "--oidc-scopes <scopes>",
    group: "Server",
    help: "What is asked of the provider, with blanks between",
    schema: () => nonEmptyText("scopes such as openid profile"),
    fallback: () => "openid profile email",
  },
  oidcRoleClaim: {
    name: "oidc_role_claim",
    flags: "--oidc-role-claim <claim>",
    group: "Server",
    help: "Claim with the roles of who logs in, e.g. groups or realm_access.roles",
    schema: () => nonEmptyText("the name of a claim"),
    fallback: () => null,
    fallbackText: "none: new users are viewers",
  },
  oidcAdminValues: {
    name: "oidc_admin_values",
    flags: "--oidc-admin-values <values>",
    group: "Server",
    help: "Values of that claim that make an admin, with commas between",
    schema: () => textList(),
    fallback: () => ["admin"],
    fallbackText: "admin",
  },
};

/** Client secret and codes travel there: in clear only within this machine. */
function issuerUrl(): ZodType<string> {
  const expected = "must be an https:// URL, or an http:// URL of this machine";
  return valueSchema(expected, (value) => {
    const url = typeof value === "string" ? URL.parse(value.trim()) : null;
    if (typeof value !== "string" || url === null) return undefined;
    const isSafe =
      url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
    return isSafe ? value.trim() : undefined;
  });
}

function textList(): ZodType<string[]> {
  return valueSchema("must be texts with commas between", (value) => {
    const items = (Array.isArray(value) ? value : [value]).flatMap((item) =>
      typeof item === "string" ? item.split(",").map((text) => text.trim()) : [undefined],
    );
    const texts = items.filter((item) => item !== undefined && item !== "");
    return texts.length > 0 && texts.length === items.length ? (texts as string[]) : undefined;
  }).meta({ shape: TEXTS_SHAPE });
}
