import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { ConfigError } from "../../config/error.ts";
import type { TlsSettings } from "../../config/fields/tls.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { fingerprintOf } from "../client/trust.ts";

/** A certificate with its private key, as a server shows it. */
export interface Certificate {
  /** PEM, with the chain. */
  cert: string;
  /** PEM. */
  key: string;
  /** What the key is encrypted with. */
  passphrase?: string;
  /** As `sha256:` and 64 lower-case digits. */
  fingerprint: string;
  /** Clients have to be told of it, whatever authorities they know. */
  isSelfSigned: boolean;
  /** Unix ms. */
  notBefore: number;
  expiresAt: number;
}

export type CertificateFiles = Pick<TlsSettings, "tlsCert" | "tlsKey" | "tlsKeyPassword">;

/**
 * The certificate of the settings; undefined if there is none. Throws `ConfigError`, which names
 * the file, if one cannot be read, is no PEM, or the key is not the certificate's.
 */
export function readCertificate(files: CertificateFiles): Certificate | undefined {
  const { tlsCert, tlsKey, tlsKeyPassword } = files;
  if (tlsCert === null) {
    if (tlsKey === null) return undefined;
    throw new ConfigError("--tls-key: has no certificate: name its file with --tls-cert");
  }
  const cert = readPem("--tls-cert", tlsCert);
  const key = tlsKey === null ? cert : readPem("--tls-key", tlsKey);
  const leaf = leafOf(cert, tlsCert);
  const keyPlace = tlsKey === null ? `--tls-cert ${tlsCert}` : `--tls-key ${tlsKey}`;
  if (!leaf.checkPrivateKey(keyOf(key, keyPlace, tlsKeyPassword))) {
    const message = `${keyPlace}: is not the private key of the certificate in ${tlsCert}`;
    throw new ConfigError(`${message}: name the two files that were made together`);
  }
  const passphrase = tlsKeyPassword === null ? {} : { passphrase: tlsKeyPassword };
  requireUsable({ cert, key, ...passphrase }, tlsCert);
  return {
    ...{ cert, key, ...passphrase, fingerprint: fingerprintOf(leaf.fingerprint256) },
    isSelfSigned: leaf.checkIssued(leaf),
    notBefore: Date.parse(leaf.validFrom),
    expiresAt: Date.parse(leaf.validTo),
  };
}

/** What is wrong with a certificate's time now, if anything is. */
export function expiryOf({ notBefore, expiresAt }: Certificate, nowMs: number): string | undefined {
  if (nowMs > expiresAt) return `it expired on ${new Date(expiresAt).toISOString()}`;
  if (nowMs < notBefore) return `it is not valid before ${new Date(notBefore).toISOString()}`;
  return undefined;
}

const FILE_BYTES_MAX = 1024 * 1024;

function readPem(flag: string, path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    if (text.length <= FILE_BYTES_MAX) return text;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = READ_ERRORS[code ?? ""] ?? `cannot be read: ${String(code)}`;
    throw new ConfigError(`${flag} ${path}: ${reason}`, cause);
  }
  throw new ConfigError(`${flag} ${path}: is far too large for a PEM file`);
}

const READ_ERRORS: Record<string, string> = {
  EACCES: "this user may not read it",
  EISDIR: "it is a folder: name the file itself",
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
};

function leafOf(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    const message = `--tls-cert ${path}: holds no certificate in PEM, which begins with`;
    throw new ConfigError(`${message} -----BEGIN CERTIFICATE-----`, cause);
  }
}

function keyOf(pem: string, place: string, password: string | null): KeyObject {
  const isLocked = /ENCRYPTED/.test(pem);
  if (isLocked && password === null) {
    const advice = "set LLMLB_TLS_KEY_PASSWORD (or tls_key_password in config.json)";
    throw new ConfigError(`${place}: the private key is encrypted: ${advice}`);
  }
  try {
    return createPrivateKey({ key: pem, ...(password === null ? {} : { passphrase: password }) });
  } catch (cause) {
    const reason = isLocked
      ? "the private key does not open with the password"
      : "holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----";
    throw new ConfigError(`${place}: ${reason}`, cause);
  }
}

/** A pair that belongs together may still be one that nobody accepts, such as too short a key. */
function requireUsable(pair: { cert: string; key: string; passphrase?: string }, path: string) {
  try {
    createSecureContext(pair);
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new ConfigError(`--tls-cert ${path}: cannot be used: ${reason}`, cause);
  }
}
