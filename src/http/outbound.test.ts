import { expect, test } from "bun:test";
import { guardOutbound, isRefusedAddress } from "./outbound.ts";

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
  await expect(guardOutbound(url, "base_url")).rejects.toMatchObject({
    status: 400,
    code: "forbidden_address",
    param: "base_url",
  });
});

test.each(["http://127.0.0.1:1", "http://[::1]", "https://10.0.0.5/v1", "http://localhost:9"])(
  "%s passes",
  async (url) => {
    expect(await guardOutbound(url, "base_url")).toBeUndefined();
  },
);

test("only addresses are judged as such", () => {
  expect(isRefusedAddress("example.org")).toBe(false);
});
