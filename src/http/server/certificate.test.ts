import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../../testkit/certificate.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { expiryOf, readCertificate } from "./certificate.ts";

const folder = temporaryHome();
afterAll(() => folder[Symbol.dispose]());

const PASSWORD = "open sesame";
const one = makeCertificate({ name: "one" });
const other = makeCertificate({ name: "other" });
const locked = makeCertificate({ name: "locked", password: PASSWORD });

const file = (name: string, text: string) => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};
const cert = file("cert.pem", one.cert);
const key = file("key.pem", one.key);
const both = file("both.pem", one.key + one.cert);
const lockedCert = file("locked.pem", locked.cert);
const lockedKey = file("locked-key.pem", locked.key);
const garbage = file(
  "garbage.pem",
  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
);
const authority = makeCertificate({ name: "authority", isAuthority: true });
const signed = makeCertificate({ name: "signed", issuer: authority });
const signedCert = file("signed.pem", signed.cert + authority.cert);
const signedKey = file("signed-key.pem", signed.key);
const missing = join(folder.path, "missing.pem");
mkdirSync(join(folder.path, "folder"));

const read = (
  tlsCert: string | null,
  tlsKey: string | null,
  tlsKeyPassword: string | null = null,
) => readCertificate({ tlsCert, tlsKey, tlsKeyPassword });

test("a certificate is read with its key, which may stand in the same file or be encrypted", () => {
  expect(read(cert, key)?.fingerprint).toBe(one.fingerprint);
  expect(read(both, null)?.fingerprint).toBe(one.fingerprint);
  expect([read(cert, key)?.isSelfSigned, read(signedCert, signedKey)?.isSelfSigned]).toEqual([
    ...[true, false],
  ]);
  const { fingerprint, passphrase } = read(lockedCert, lockedKey, PASSWORD) ?? {};
  expect({ fingerprint, passphrase }).toEqual({
    fingerprint: locked.fingerprint,
    passphrase: PASSWORD,
  });
  expect(read(null, null)).toBeUndefined();
});

test.each([
  [null, key, null, "--tls-key: has no certificate"],
  [missing, key, null, `--tls-cert ${missing}: there is no such file`],
  [cert, missing, null, `--tls-key ${missing}: there is no such file`],
  [join(folder.path, "folder"), key, null, "it is a folder"],
  [key, key, null, `--tls-cert ${key}: holds no certificate in PEM`],
  [garbage, key, null, `--tls-cert ${garbage}: holds no certificate in PEM`],
  [cert, cert, null, `--tls-key ${cert}: holds no private key in PEM`],
  [cert, null, null, `--tls-cert ${cert}: holds no private key in PEM`],
  [cert, file("other.pem", other.key), null, "is not the private key of the certificate in"],
  [lockedCert, lockedKey, null, "the private key is encrypted: set LLMLB_TLS_KEY_PASSWORD"],
  [lockedCert, lockedKey, "wrong", "the private key does not open with the password"],
])("%p with %p and password %p is refused: %s", (tlsCert, tlsKey, password, message) => {
  expect(() => read(tlsCert, tlsKey, password)).toThrow(message);
});

test("what its time is worth is told", () => {
  const day = 86_400_000;
  const made = read(cert, key);
  if (made === undefined) throw new Error("there is one");
  expect(expiryOf(made, Date.now())).toBeUndefined();
  expect(expiryOf(made, made.expiresAt + day)).toStartWith("it expired on ");
  expect(expiryOf(made, made.notBefore - day)).toStartWith("it is not valid before ");
});
