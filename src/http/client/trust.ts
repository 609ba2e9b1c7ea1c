import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { ConfigError } from "../../config/error.ts";
import { ClientError } from "./failure.ts";

/** The part of a TLS connection that says who answers. */
export interface TlsPeer {
  getPeerCertificate(): { fingerprint256?: string } | null | undefined;
}

/** How the certificate of a server is judged. */
export interface Judgement {
  /** Its fingerprint, where it is pinned: then nothing else counts, neither name nor date. */
  fingerprint: string | undefined;
  /** By the authorities that are believed, and for the server's name. */
  isTrusted: boolean;
  /** Why it is not. */
  cause: unknown;
}

/**
 * All authorities that are believed, in PEM; undefined: those that Bun has by itself. One list for
 * the process, as with `NODE_EXTRA_CA_CERTS`.
 */
let authorities: string[] | undefined;

/**
 * Believes the authorities in a PEM file besides the system's, from now on and in all connections;
 * null: only the system's. Throws `ConfigError` if the file cannot be read or holds none.
 */
export function trustAuthorities(file: string | null): void {
  authorities =
    file === null ? undefined : [...getCACertificates("default"), ...certificatesIn(file)];
}

/** What `Bun.connect` and `upgradeTLS` need to know for a server. */
export function tlsOptions({
  serverName,
  fingerprint,
}: {
  serverName: string;
  fingerprint?: string;
}) {
  return {
    serverName,
    ...(authorities === undefined ? {} : { ca: authorities }),
    // `judge` looks at the certificate before anything is sent.
    ...(fingerprint === undefined ? {} : { rejectUnauthorized: false }),
  };
}

/** What `fetch` needs to know. */
export function fetchTls(): { tls?: { ca: string[] } } {
  return authorities === undefined ? {} : { tls: { ca: authorities } };
}

/** Why nothing is to be sent to a server; undefined: its certificate is good. */
export function judge(
  peer: TlsPeer,
  { fingerprint, isTrusted, cause }: Judgement,
): ClientError | undefined {
  if (fingerprint === undefined && isTrusted) return undefined;
  const shown = fingerprintOf(peer.getPeerCertificate()?.fingerprint256 ?? "");
  if (fingerprint !== undefined && shown === fingerprint) return undefined;
  const what =
    fingerprint === undefined
      ? `the certificate is not valid (${codeOf(cause)}). It is ${shown}: pin that if it is the \
right one (--fingerprint), or name the authority that signed it (--tls-ca)`
      : `the certificate is not the pinned one. It is ${shown} now: pin that if it was renewed`;
  return new ClientError("certificate", `Connecting failed: ${what}.`, cause);
}

/** The fingerprint of a certificate as it is shown and compared: `sha256:` and 64 digits. */
export function fingerprintOf(colons: string): string {
  return `sha256:${colons.replaceAll(":", "").toLowerCase()}`;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(`--tls-ca ${file}: cannot be read: ${String(code)}`, cause);
  }
  const found = text.match(PEM) ?? [];
  try {
    for (const one of found) new X509Certificate(one);
  } catch (cause) {
    throw new ConfigError(`--tls-ca ${file}: a certificate in it is damaged`, cause);
  }
  if (found.length > 0) return found;
  const message = `--tls-ca ${file}: holds no certificate in PEM, which begins with`;
  throw new ConfigError(`${message} -----BEGIN CERTIFICATE-----`);
}

function codeOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : String(cause);
}
