import { expect, test } from "bun:test";
import { joinAdvice } from "./joinadvice.ts";

const BASE = { url: "http://127.0.0.1:32768", addresses: ["192.0.2.7", "fd00::7"], token: "T" };

test("a certificate that nobody known has signed is pinned", () => {
  const facts = { ...BASE, boundUrl: "https://0.0.0.0:32768", fingerprint: "sha256:ab" };
  expect(joinAdvice(facts)[1]).toEndWith(`--token ${BASE.token} --fingerprint sha256:ab`);
});

test("a balancer on all addresses is joined by those of its machine", () => {
  expect(joinAdvice({ ...BASE, boundUrl: "http://0.0.0.0:32768" })).toEqual([
    "On the other host:",
    "  llmlb node --host 0.0.0.0 --join http://192.0.2.7:32768 --token T",
    "This machine is also http://[fd00::7]:32768",
  ]);
});

test("a balancer on one address is joined by that", () => {
  const boundUrl = "http://192.0.2.9:1";
  const expected = "  llmlb node --host 0.0.0.0 --join http://192.0.2.9:1 --token T";
  expect(joinAdvice({ ...BASE, boundUrl })[1]).toBe(expected);
  const named = { ...BASE, url: "https://llm.example.com", boundUrl: undefined };
  expect(joinAdvice(named)[1]).toContain("--join https://llm.example.com --token T");
});

test("a balancer on loopback says that others cannot reach it, and what to do", () => {
  const lines = joinAdvice({ ...BASE, boundUrl: BASE.url });
  expect(lines[1]).toBe("  llmlb node --join http://127.0.0.1:32768 --token T");
  expect(lines.join("\n")).toContain("--host 0.0.0.0");
  // Where nothing is known of it, such as in a container, only that is said.
  const unknown = joinAdvice({ ...BASE, boundUrl: undefined }).join("\n");
  expect(unknown).not.toContain("--host 0.0.0.0");
  expect(unknown).toContain("the address there by which they reach");
});
