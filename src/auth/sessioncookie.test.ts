import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Scope } from "../http/server/scope.ts";
import { csrfTokenOf } from "./livesessions.ts";
import { isOwnPage, sessionCookieOf, sessionCookies, sessionTokenOf } from "./sessioncookie.ts";

const TOKEN = `ses_${"x".repeat(43)}`;

function scopeOf(headers: Record<string, string>, method = "GET", url = "http://llm.lan/"): Scope {
  const raw = new Request(url, { method, headers });
  return {
    env: {},
    req: { raw, url, path: "/" },
    get: () => undefined as never,
    set: () => undefined,
  };
}

describe("the session's cookie", () => {
  test.each([
    [`llmlb_session=${TOKEN}`, TOKEN],
    [`a=b;llmlb_session=${TOKEN};c=d`, TOKEN],
    [`a=llmlb_session=no; llmlb_session=${TOKEN}`, TOKEN],
    [`llmlb_session=${TOKEN}; llmlb_session=other`, TOKEN],
    [`xllmlb_session=${TOKEN}`, undefined],
    [`__Host-llmlb_session=${TOKEN}`, undefined],
    [`LLMLB_SESSION=${TOKEN}`, undefined],
    ["llmlb_session", undefined],
    ["llmlb_session=", ""],
  ])("of %p is %p", (cookie, token) => {
    expect(sessionCookieOf(scopeOf({ cookie }))).toBe(token);
  });

  test("of https is the one that only this host can have set", () => {
    const cookie = `llmlb_session=planted; __Host-llmlb_session=${TOKEN}`;
    expect(sessionCookieOf(scopeOf({ cookie }, "GET", "https://llm.lan/"))).toBe(TOKEN);
    expect(sessionCookies(scopeOf({}, "GET", "https://llm.lan/"), TOKEN)[0]).toContain("; Secure;");
  });

  test("comes after a token in Authorization, and before anything else there", () => {
    const cookie = `llmlb_session=${TOKEN}`;
    const other = TOKEN.replace("x", "y");
    const at = (authorization: string) => sessionTokenOf(scopeOf({ cookie, authorization }));
    expect([at(`Bearer ${other}`), at("Bearer sk_x"), at("Basic x")]).toEqual([
      other,
      TOKEN,
      TOKEN,
    ]);
  });

  test("is found whatever stands around it, and nothing breaks the search", () => {
    const text = fc.string({ unit: "grapheme-ascii" }).filter((one) => !one.includes("llmlb"));
    const header = fc.array(text.map((one) => one.replaceAll(";", ",").trim()));
    fc.assert(
      fc.property(header, header, (before, after) => {
        const cookie = [...before, `llmlb_session=${TOKEN}`, ...after].join("; ");
        expect(sessionCookieOf(scopeOf({ cookie }))).toBe(TOKEN);
      }),
      { seed: 12, numRuns: 500 },
    );
  });
});

test("a page is our own if it changes nothing, or knows the token", () => {
  const csrf = csrfTokenOf(TOKEN);
  const has = (method: string, token?: string) =>
    isOwnPage(scopeOf(token === undefined ? {} : { "x-csrf-token": token }, method), TOKEN);
  expect([has("GET"), has("HEAD"), has("OPTIONS")]).toEqual([true, true, true]);
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
    expect(has(method, csrf)).toBeTrue();
    for (const wrong of [undefined, "", TOKEN, csrf.slice(1), `${csrf}x`, csrf.toLowerCase()]) {
      expect(has(method, wrong)).toBeFalse();
    }
  }
});
