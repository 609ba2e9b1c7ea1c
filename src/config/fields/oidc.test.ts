import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../testkit/config.ts";

const BOTH = { oidcIssuer: "https://id.example", oidcClientId: "llmlb" };

describe("the settings of OpenID Connect", () => {
  test.each(["https://id.example/realms/a", "http://127.0.0.1:8080", "http://localhost"])(
    "take the issuer %s",
    (oidcIssuer) => {
      expect(loadConfig({ flags: { ...BOTH, oidcIssuer } }).settings.oidcIssuer).toBe(oidcIssuer);
    },
  );

  test.each(["http://id.example", "id.example", "ftp://127.0.0.1", "x"])(
    "refuse %s",
    (oidcIssuer) => {
      expect(() => loadConfig({ flags: { ...BOTH, oidcIssuer } })).toThrow("https:// URL");
    },
  );

  test("are refused by halves", () => {
    const { oidcIssuer, oidcClientId } = BOTH;
    expect(() => loadConfig({ flags: { oidcIssuer } })).toThrow("--oidc-client-id is not");
    expect(() => loadConfig({ flags: { oidcClientId } })).toThrow("--oidc-issuer is not");
  });

  test("never show the secret", () => {
    const env = { LLMLB_OIDC_CLIENT_SECRET: " " };
    expect(() => loadConfig({ env, flags: BOTH })).toThrow(/^LLMLB_OIDC_CLIENT_SECRET: must be/);
  });

  test("take roles in a list or with commas", () => {
    const of = (oidcAdminValues: string) =>
      loadConfig({ flags: { ...BOTH, oidcAdminValues } }).settings.oidcAdminValues;
    expect(of("ops, chiefs")).toEqual(["ops", "chiefs"]);
    expect(() => of(",")).toThrow("texts");
  });
});
