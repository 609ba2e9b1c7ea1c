import { expect, test } from "bun:test";
import type { KnownPrincipal } from "./principals.ts";
import { Principals } from "./principals.ts";

const ADDRESS = "10.0.0.1";

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

const KNOWN: KnownPrincipal = {
  ...{ id: "key 1", kind: "key", keyId: "1", key: undefined, user: undefined },
  permissions: new Set(["openai.inference"]),
};
const find = (key: string) => (key === "sk-1" ? KNOWN : undefined);

test("a known key is one principal, from wherever it is sent", () => {
  const principals = new Principals({ find });
  expect(principals.of("sk-1", ADDRESS)).toEqual({ ...KNOWN, address: ADDRESS });
  expect(principals.of("sk-1", "10.0.0.2")).toEqual({ ...KNOWN, address: "10.0.0.2" });
});

test("a request without a key belongs to its address", () => {
  const principals = new Principals();
  const none = { kind: "anonymous", keyId: undefined } as const;
  expect(principals.of(undefined, ADDRESS)).toMatchObject({
    id: ADDRESS,
    address: ADDRESS,
    ...none,
  });
  expect(principals.of(undefined, undefined)).toMatchObject({
    id: "",
    address: undefined,
    ...none,
  });
});

test("who does not show who he is may do everything, or nothing", () => {
  expect(new Principals().of("sk-2", ADDRESS).permissions.has("users.manage")).toBe(true);
  const strict = new Principals({ find, anonymous: "nothing" });
  expect(strict.of("sk-2", ADDRESS).permissions.size).toBe(0);
  expect(strict.of("sk-1", ADDRESS).permissions).toEqual(new Set(["openai.inference"]));
});

test("a key that nobody checked belongs to its address: anybody can invent one", () => {
  const principals = new Principals();
  const asked = ["sk-1", "sk-2"].map((key) => principals.of(key, ADDRESS));
  expect(asked.map(({ id }) => id)).toEqual([ADDRESS, ADDRESS]);
  expect(asked.map(({ keyId }) => keyId)).toEqual([
    `key_${sha256("sk-1").slice(0, 12)}`,
    `key_${sha256("sk-2").slice(0, 12)}`,
  ]);
  expect(principals.of("sk-1", "10.0.0.2").id).toBe("10.0.0.2");
});

test("of an address of version 6 the network counts", () => {
  const idOf = (address: string) => new Principals().of(undefined, address).id;
  expect(idOf("2001:db8:1:2::1")).toBe("2001:db8:1:2::/64");
  expect(idOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(idOf("2001:db8:1:3::1")).toBe("2001:db8:1:3::/64");
  expect([idOf("::1"), idOf("fe80::1%eth0")]).toEqual(["0:0:0:0::/64", "fe80:0:0:0::/64"]);
  expect(idOf("::ffff:10.0.0.1")).toBe("10.0.0.1");
});

test("the thousandth key has a name of its own, further ones share one", () => {
  const principals = new Principals();
  const nameOf = (key: string) => principals.of(key, ADDRESS).keyId;
  const names = Array.from({ length: 1000 }, (_, i) => nameOf(`sk-${i}`));
  expect(new Set(names).size).toBe(1000);
  expect(names[999]).toBe(`key_${sha256("sk-999").slice(0, 12)}`);
  expect(nameOf("sk-1000")).toBe("key_other");
  expect(nameOf("sk-999")).toBe(names[999]);
});
