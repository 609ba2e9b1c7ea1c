import { expect, test } from "bun:test";
import { guardedAddresses, guardUrl, isPrivateAddress, isRefusedAddress } from "./ssrf.ts";

test.each([
  "http://169.254.169.254",
  "http://[fe80::1]",
  "http://[::ffff:169.254.1.1]",
  "http://2852039166/latest",
  "http://0xa9fea9fe",
  "http://0.0.0.0:8080",
  "http://metadata.google.internal",
  "ftp://10.0.0.1",
  "nothing",
])("%s is refused", async (url) => {
  await expect(guardUrl(url, "base_url")).rejects.toMatchObject({
    status: 400,
    code: "forbidden_address",
    param: "base_url",
  });
});

test.each(["http://127.0.0.1:1", "http://[::1]", "https://10.0.0.5/v1", "http://localhost:9"])(
  "%s passes",
  async (url) => {
    expect(await guardUrl(url, "base_url")).toBeUndefined();
  },
);

test("only addresses are judged as such", () => {
  expect(isRefusedAddress("example.org")).toBe(false);
});

test.each([
  "169.254.1.1",
  "fe80::1%eth0",
  "::169.254.1.1",
  "64:ff9b::a9fe:101",
  "2002:a9fe:101::",
  "::ffff:0:a9fe:101",
  "64:ff9b:1::a9fe:101",
  "64:ff9b:1:a9fe:1:100::",
  "fe80::200:5efe:a9fe:1",
  "2001:db8::5efe:a9fe:101",
  "2001:db8::200:5efe:a9fe:101",
])("%s leads to a link-local address", (address) => {
  expect([isRefusedAddress(address), isPrivateAddress(address)]).toEqual([true, false]);
});

test.each([
  ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1"],
  ...["::1", "0:0:0:0:0:0:0:1", "fd12::1", "::ffff:127.0.0.1", "::ffff:a00:1", "::127.0.0.1"],
  ...["64:ff9b::7f00:1", "2002:7f00:1::", "2002:c0a8:1::1"],
])("%s is private", (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each([
  ...["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"],
  ...["2002:808:808::", "::ffff:8.8.8.8", "example.org", "10.0.0"],
])("%s is not", (address) => {
  expect([isPrivateAddress(address), isRefusedAddress(address)]).toEqual([false, false]);
});

test("a name is connected to by the addresses that were checked, all of them", async () => {
  const at = (...addresses: string[]) => guardedAddresses("gpu1", async () => addresses);
  expect(await at("10.0.0.5", "fd12::5")).toEqual(["10.0.0.5", "fd12::5"]);
  expect(await at("10.0.0.5", "169.254.169.254")).toBeUndefined();
  expect(await at("64:ff9b::a9fe:a9fe")).toBeUndefined();
  expect(await guardedAddresses("169.254.169.254")).toBeUndefined();
  expect(await guardedAddresses("metadata.google.internal")).toBeUndefined();
  expect(await guardedAddresses("127.0.0.1")).toEqual(["127.0.0.1"]);
});
