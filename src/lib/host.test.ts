import { expect, test } from "bun:test";
import { hostOf, isLoopbackHost, portOf } from "./host.ts";

test.each([
  ["HTTPS://GPU1.Example.com./x", "gpu1.example.com", "443"],
  ["https://gpu1:443/x", "gpu1", "443"],
  ["http://gpu1:443/x", "gpu1", "443"],
  ["http://user:pass@gpu1", "gpu1", "80"],
  ["http://gpu1%2eexample.com", "gpu1.example.com", "80"],
  ["http://10.0.0.5\\.example.com", "10.0.0.5", "80"],
  ["http://0x0a000005:80", "10.0.0.5", "80"],
  ["http://[FD00:0::1]:8080", "fd00::1", "8080"],
])("%s leads to %s, port %s", (url, host, port) => {
  expect([hostOf(new URL(url)), portOf(new URL(url))]).toEqual([host, port]);
});

test.each([
  ["http://localhost", true],
  ["http://LOCALHOST.:80", true],
  ["http://a.localhost", true],
  ["http://127.9.9.9", true],
  ["http://2130706433", true],
  ["http://[::1]", true],
  ["http://[::ffff:127.0.0.1]", true],
  ["http://127.0.0.1.example.com", false],
  ["http://127.example.com", false],
  ["http://localhost.example.com", false],
  ["http://notlocalhost", false],
  ["http://[::ffff:10.0.0.1]", false],
  ["http://[7f00::1]", false],
  ["http://10.0.0.1", false],
])("%s is this machine: %p", (url, isHere) => {
  expect(isLoopbackHost(hostOf(new URL(url)))).toBe(isHere);
});
