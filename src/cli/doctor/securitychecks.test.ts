import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificateFlags, makeCertificate } from "../../testkit/certificate.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { TEST_SETTINGS } from "../../testkit/settings.ts";
import { checkSecurity } from "./securitychecks.ts";

let home: ReturnType<typeof temporaryHome>;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => home[Symbol.dispose]());

const DAY_MS = 86_400_000;
const IS_POSIX = process.platform !== "win32";

function findings(more: Partial<typeof TEST_SETTINGS> = {}) {
  const found = checkSecurity({ ...TEST_SETTINGS, home: home.path, ...more });
  return Object.fromEntries(found.map(({ subject, ...finding }) => [subject, finding]));
}

function certificate(notAfter: Date) {
  const made = makeCertificate({ name: "a", notAfter });
  const [, tlsCert = "", , tlsKey = ""] = certificateFlags(home.path, made);
  return { tlsCert, tlsKey };
}

test.skipIf(!IS_POSIX)("secrets that others can read are a problem, with what closes them", () => {
  const path = (name: string) => join(home.path, name);
  for (const name of ["secret.key", "config.json", "lb.db"]) writeFileSync(path(name), "");
  writeFileSync(path("config.json"), '{"port": 1}');
  chmodSync(path("secret.key"), 0o600);
  chmodSync(path("lb.db"), 0o640);
  chmodSync(path("config.json"), 0o644);
  chmodSync(home.path, 0o755);
  const close = [`chmod 600 ${path("lb.db")}`, `chmod 700 ${home.path}`];
  expect(findings()["File modes"]).toMatchObject({ state: "problem", details: close });
  writeFileSync(path("config.json"), '{"hub_token": "hf_1"}');
  expect(findings()["File modes"]).toMatchObject({
    state: "problem",
    details: [
      `chmod 600 ${path("lb.db")}`,
      `chmod 600 ${path("config.json")}`,
      `chmod 700 ${home.path}`,
    ],
  });
  // Nobody else gets there any more.
  chmodSync(home.path, 0o700);
  expect(findings()["File modes"]).toMatchObject({ state: "ok" });
});

test.skipIf(!IS_POSIX)("a private key that everybody can read is a problem, wherever it is", () => {
  const files = certificate(new Date(Date.now() + 90 * DAY_MS));
  expect(findings(files)["File modes"]).toMatchObject({ state: "ok" });
  chmodSync(files.tlsKey, 0o640);
  expect(findings(files)["File modes"]).toMatchObject({ state: "ok" });
  chmodSync(files.tlsKey, 0o644);
  expect(findings(files)["File modes"]).toMatchObject({
    ...{ state: "problem", details: [`chmod 600 ${files.tlsKey}`] },
  });
});

test("plain HTTP beyond this machine is told, unless a proxy is in front", () => {
  expect(findings()).toMatchObject({ TLS: { state: "ok", text: "not needed on 127.0.0.1" } });
  const text = expect.stringContaining("none on 0.0.0.0: keys and prompts can be read");
  expect(findings({ host: "0.0.0.0" })).toMatchObject({ TLS: { state: "note", text } });
  const behind = findings({ host: "0.0.0.0", trustedProxies: ["10.0.0.2"] });
  expect(behind).toMatchObject({ TLS: { state: "ok", text: "left to the proxies (10.0.0.2)" } });
});

test("a certificate is told by how long it is good, and if it cannot be used", () => {
  const at = (days: number) => findings(certificate(new Date(Date.now() + days * DAY_MS))).TLS;
  expect(at(90)).toMatchObject({ state: "ok" });
  expect(at(3)).toMatchObject({ state: "note", text: expect.stringContaining("renew it") });
  expect(at(-0.5)).toMatchObject({
    ...{ state: "problem", text: expect.stringContaining("it expired on") },
  });
  const files = certificate(new Date(Date.now() + DAY_MS));
  writeFileSync(files.tlsKey, makeCertificate({ name: "b" }).key);
  const text = expect.stringContaining("is not the private key of the certificate");
  expect(findings(files).TLS).toMatchObject({ state: "problem", text });
  const tlsCa = join(home.path, "none.pem");
  expect(findings({ tlsCa }).Authorities).toMatchObject({ state: "problem" });
});
