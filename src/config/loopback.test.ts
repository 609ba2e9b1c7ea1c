import { expect, test } from "bun:test";
import { isOpenToAll, requiresAccess } from "./loopback.ts";

const auto = { access: "auto", insecure: false } as const;

test.each(["127.0.0.1", "localhost", "::1", "[::1]", "127.1.2.3"])("%s needs no key", (host) => {
  expect(requiresAccess({ ...auto, host })).toBe(false);
  expect(requiresAccess({ ...auto, host, access: "required" })).toBe(true);
  expect(isOpenToAll({ ...auto, host, access: "off" })).toBe(false);
});

test.each(["0.0.0.0", "::", "192.168.1.5", "127.0.0.1.example.com"])("%s needs a key", (host) => {
  expect(requiresAccess({ ...auto, host })).toBe(true);
  expect(isOpenToAll({ ...auto, host })).toBe(false);
  for (const off of [{ insecure: true }, { access: "off" } as const]) {
    expect(requiresAccess({ ...auto, host, ...off })).toBe(false);
    expect(isOpenToAll({ ...auto, host, ...off })).toBe(true);
  }
});
