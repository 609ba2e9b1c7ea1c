import { describe, expect, test } from "bun:test";
import { type Claims, roleOf, userNames } from "./claims.ts";

const first = (claims: Claims) => userNames(claims).next().value;

describe("the role of claims", () => {
  const mapping = { oidcRoleClaim: "realm_access.roles", oidcAdminValues: ["admin", "ops"] };

  test.each<[Claims, "admin" | "viewer"]>([
    [{ realm_access: { roles: ["staff", "ops"] } }, "admin"],
    [{ "realm_access.roles": "staff admin" }, "admin"],
    [{ realm_access: { roles: "admin" } }, "admin"],
    [{ realm_access: { roles: ["administrator"] } }, "viewer"],
    [{ realm_access: { roles: [["x"], null, { admin: true }] } }, "viewer"],
    [{ realm_access: { roles: { admin: true } } }, "viewer"],
    [{ realm_access: "admin" }, "viewer"],
    [{ realm_access: null }, "viewer"],
    [{}, "viewer"],
  ])("%j is %s", (claims, role) => expect(roleOf(claims, mapping)).toBe(role));

  test("is none where no claim is set", () => {
    expect(roleOf({ groups: ["admin"] }, { ...mapping, oidcRoleClaim: null })).toBeUndefined();
  });

  test("is not looked for in what every object has", () => {
    const claim = { oidcRoleClaim: "constructor.name", oidcAdminValues: ["Object"] };
    expect(roleOf({}, claim)).toBe("viewer");
  });
});

describe("the name of a new user", () => {
  test.each<[Claims, string]>([
    [{ preferred_username: "ann", email: "a@x", sub: "1" }, "ann"],
    [{ email: "a@x", name: "Ann", sub: "1" }, "a@x"],
    [{ preferred_username: " \n ", name: "Ann\tLee", sub: "1" }, "Ann Lee"],
    [{ preferred_username: 7, sub: "1" }, "1"],
    [{ preferred_username: "a\u202eb" }, "a b"],
    [{}, "user"],
  ])("of %j is %s", (claims, name) => expect(first(claims)).toBe(name));

  test("is short, and has others behind it", () => {
    const names = [...userNames({ preferred_username: "😀".repeat(100) })];
    expect(names).toHaveLength(99);
    expect(new Set(names).size).toBe(99);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(64);
  });
});
