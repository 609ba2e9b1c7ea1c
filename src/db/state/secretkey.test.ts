import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { makeStateHome, type StateHome } from "../../testkit/state.ts";
import { openSecretKey } from "./secretkey.ts";

let home: StateHome;

beforeEach(() => {
  home = makeStateHome();
});
afterEach(() => home.remove());

describe("a secret key", () => {
  test("opens for its owner only, and not when it was changed", () => {
    const secret = openSecretKey(home.path);
    const sealed = secret.seal("ü", "a");
    expect(secret.open(sealed, "a")).toBe("ü");
    expect(openSecretKey(home.path).open(sealed, "a")).toBe("ü");
    expect(secret.seal("ü", "a")).not.toEqual(sealed);
    expect(() => secret.open(sealed, "b")).toThrow();
    for (const at of sealed.keys()) {
      const changed = sealed.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(() => secret.open(changed, "a")).toThrow();
    }
  });
});
