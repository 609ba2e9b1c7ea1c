import { expect, test } from "bun:test";
import { Principals } from "./principal.ts";

const ADDRESS = "10.0.0.1";
const keyed = (key: string) => new Headers({ authorization: `Bearer ${key}` });

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

const KNOWN = { isKnown: () => true };

test("a known key is one principal, however and from wherever it is sent", () => {
  const principals = new Principals(KNOWN);
  const first = principals.of(keyed("sk-1"), ADDRESS);
  const second = principals.of(new Headers({ "x-api-key": "sk-1" }), "10.0.0.2");
  expect(second.id).toBe(first.id);
  expect(first).toMatchObject({ keyName: `key_${sha256("sk-1").slice(0, 12)}`, address: ADDRESS });
  expect(second).toMatchObject({ keyName: first.keyName, address: "10.0.0.2" });
  expect(principals.of(keyed("sk-2"), ADDRESS).id).not.toBe(first.id);
});

test("a request without a key belongs to its address", () => {
  const principals = new Principals();
  const none = { keyName: undefined };
  expect(principals.of(new Headers(), ADDRESS)).toEqual({ id: ADDRESS, address: ADDRESS, ...none });
  expect(principals.of(new Headers(), undefined)).toEqual({ id: "", address: undefined, ...none });
});

test("a key that nobody checked belongs to its address: anybody can invent one", () => {
  const principals = new Principals();
  const asked = ["sk-1", "sk-2"].map((key) => principals.of(keyed(key), ADDRESS));
  expect(asked.map(({ id }) => id)).toEqual([ADDRESS, ADDRESS]);
  expect(asked.map(({ keyName }) => keyName)).toEqual([
    `key_${sha256("sk-1").slice(0, 12)}`,
    `key_${sha256("sk-2").slice(0, 12)}`,
  ]);
  expect(principals.of(keyed("sk-1"), "10.0.0.2").id).toBe("10.0.0.2");
});

test("of an address of version 6 the network counts", () => {
  const idOf = (address: string) => new Principals().of(new Headers(), address).id;
  expect(idOf("2001:db8:1:2::1")).toBe("2001:db8:1:2::/64");
  expect(idOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(idOf("2001:db8:1:3::1")).toBe("2001:db8:1:3::/64");
  expect([idOf("::1"), idOf("fe80::1%eth0")]).toEqual(["0:0:0:0::/64", "fe80:0:0:0::/64"]);
  expect(idOf("::ffff:10.0.0.1")).toBe("10.0.0.1");
});

test("ids are others after a start, and show nothing of the key", () => {
  const { id } = new Principals(KNOWN).of(keyed("sk-1"), ADDRESS);
  expect(new Principals(KNOWN).of(keyed("sk-1"), ADDRESS).id).not.toBe(id);
  expect(id).not.toContain("sk-1");
});

test("the thousandth key has a name of its own, further ones share one", () => {
  const principals = new Principals(KNOWN);
  const nameOf = (key: string) => principals.of(keyed(key), ADDRESS).keyName;
  const names = Array.from({ length: 1000 }, (_, i) => nameOf(`sk-${i}`));
  expect(new Set(names).size).toBe(1000);
  expect(names[999]).toBe(`key_${sha256("sk-999").slice(0, 12)}`);
  expect(nameOf("sk-1000")).toBe("key_other");
  expect(nameOf("sk-999")).toBe(names[999]);
  const [other, another] = ["sk-1001", "sk-1002"].map((key) => principals.of(keyed(key), ADDRESS));
  expect(other?.keyName).toBe("key_other");
  expect(another?.id).not.toBe(other?.id);
});
