import { expect, test } from "bun:test";
import { requireLoopback } from "./loopback.ts";

test.each(["127.0.0.1", "localhost", "::1", "[::1]", "127.1.2.3"])("%s is allowed", (host) => {
  expect(() => requireLoopback({ host, insecure: false, mode: "balancer" })).not.toThrow();
});

test.each(["0.0.0.0", "::", "192.168.1.5", "127.0.0.1.example.com"])("%s is refused", (host) => {
  expect(() => requireLoopback({ host, insecure: false, mode: "balancer" })).toThrow("--insecure");
  expect(() => requireLoopback({ host, insecure: true, mode: "balancer" })).not.toThrow();
});
