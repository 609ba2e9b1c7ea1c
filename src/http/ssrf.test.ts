import { expect, test } from "bun:test";
import {
  guardedAddresses,
  guardUrl,
  isPrivateAddress,
  isRefusedAddress,
  isRefusedPort,
} from "./ssrf.ts";

/** One address in all the ways that URL parsers and resolvers read it. */
const SPELLINGS = {
  "169.254.169.254": [
    ...["169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0xA9FEA9FE"],
    ...["025177524776", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518"],
    ...["169.16689662", "0xa9.254.0251.254", "1%369.254.169.254", "169。254。169。254"],
    ...["１６９.254.169.254", "①⑥⑨.254.169.254"],
  ],
  "::ffff:169.254.169.254": [
    ...["[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:a9fe:a9fe]"],
    ...["[::FFFF:A9FE:A9FE]", "[::169.254.169.254]", "[::ffff:0:169.254.169.254]"],
    ...["[64:ff9b::169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[0064:ff9b:0:0:0:0:a9fe:a9fe]"],
    ...["[64:ff9b:1::a9fe:a9fe]", "[64:ff9b:1:a9fe:a9:fe00::]", "[64:ff9b:1:a9:fe:a9fe::]"],
    ...["[64:ff9b:1:ab:a9:fea9:fe00::]", "[2002:a9fe:a9fe::1]", "[2001:0:a9fe:a9fe::]"],
    ...["[2001:0:808:808:0:0:5601:5601]", "[fe80::5efe:a9fe:a9fe]", "[2001:db8::5efe:a9fe:a9fe]"],
  ],
  "of other clouds": [
    ...["100.100.100.200", "168.63.129.16", "192.0.0.192", "[fd00:ec2::254]", "[fd00:ec2::23]"],
    ...["[fd00:ec2:0:0::0254]", "[fd20:ce::254]", "[fd00:c1::a9fe:a9fe]", "[fd00:42::42]"],
  ],
  "names of metadata services": [
    ...["metadata.google.internal", "METADATA.google.internal.", "metadata", "metadata.goog"],
    ...["instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com"],
  ],
  "nowhere that an endpoint is": [
    ...["0.0.0.0", "0", "[::]", "224.0.0.1", "255.255.255.255", "[ff02::1]", "[fe80::1]"],
    ...["[febf::1]", "169.254.0.1"],
  ],
};

const CASES = Object.entries(SPELLINGS).flatMap(([kind, hosts]) =>
  hosts.map((host) => [host, kind] as const),
);

test.each(CASES)("http://%s is refused: %s", async (host) => {
  for (const url of [`http://${host}/latest`, `https://user:word@${host}:8080`]) {
    await expect(guardUrl(url, "base_url")).rejects.toMatchObject({
      ...{ status: 400, code: "forbidden_address", param: "base_url" },
    });
  }
});

test.each([
  ...["ftp://10.0.0.1", "file:///etc/passwd", "gopher://10.0.0.1", "nothing", "http://"],
  // Zone ids are no part of a URL, so nobody is misled by them.
  ...["http://[fe80::1%25eth0]", "http://[fe80::1%eth0]", "http://[::ffff:169.254.169.254%25lo]"],
])("%s is no URL to call", async (url) => {
  for (const allowMetadataAddresses of [false, true]) {
    const guarded = guardUrl(url, "url", { allowMetadataAddresses });
    await expect(guarded).rejects.toMatchObject({ code: "forbidden_address" });
  }
});

test.each([
  ...["http://127.0.0.1:1", "http://[::1]", "https://10.0.0.5/v1", "http://localhost:9"],
  ...["http://192.168.1.9:22", "http://[fd12::1]", "http://[64:ff9b:1::a00:1]"],
  ...["http://metadata.example.com.invalid", "http://[2001:db8::1]"],
])("%s passes", async (url) => {
  expect(await guardUrl(url, "base_url")).toBeUndefined();
});

test("with leave, any address passes", async () => {
  const allowed = { allowMetadataAddresses: true };
  expect(await guardUrl("http://169.254.169.254", "base_url", allowed)).toBeUndefined();
});

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
])("%s leads to a link-local address", (address) => {
  expect([isRefusedAddress(address), isPrivateAddress(address)]).toEqual([true, false]);
});

test.each([
  ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1"],
  ...["::1", "0:0:0:0:0:0:0:1", "fd12::1", "::ffff:127.0.0.1", "::ffff:a00:1", "::127.0.0.1"],
  ...["64:ff9b::7f00:1", "64:ff9b:1::a00:1", "64:ff9b:1:a00:0:100::", "2002:7f00:1::"],
  ...["2002:c0a8:1::1", "2001:0:808:808::f7f7:f7f7", "2001:db8::1", "100::1", "fec0::1"],
])("%s is private", (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each([
  ...["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"],
  ...["64:ff9b:1::808:808", "2002:808:808::", "::ffff:8.8.8.8", "example.org", "10.0.0"],
])("%s is not", (address) => {
  expect([isPrivateAddress(address), isRefusedAddress(address)]).toEqual([false, false]);
});

test("ports of other services are known", () => {
  expect([25, 6667, 0].map(isRefusedPort)).toEqual([true, true, true]);
  expect([80, 443, 8080, 32_768].map(isRefusedPort)).toEqual([false, false, false, false]);
});

test("a name is connected to by its addresses that were checked and are allowed", async () => {
  const at = (...addresses: string[]) => guardedAddresses("gpu1", async () => addresses);
  expect(await at("10.0.0.5", "fd12::5")).toEqual(["10.0.0.5", "fd12::5"]);
  expect(await at("fe80::5%en0", "10.0.0.5", "169.254.169.254")).toEqual(["10.0.0.5"]);
  expect(await at("fe80::5%en0", "169.254.169.254")).toBeUndefined();
  expect(await at("64:ff9b::a9fe:a9fe")).toBeUndefined();
  expect(await at("fe80::1%eth0")).toBeUndefined();
  expect(await guardedAddresses("169.254.169.254")).toBeUndefined();
  expect(await guardedAddresses("metadata.google.internal")).toBeUndefined();
  expect(await guardedAddresses("127.0.0.1")).toEqual(["127.0.0.1"]);
});
