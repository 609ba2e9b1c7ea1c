import {
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { writeFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";

export interface CertificateOptions {
  name: string;
  /** Names and IPv4 addresses that it is for. Default: localhost and 127.0.0.1. */
  hosts?: string[];
  /** Who signs it. Default: itself. */
  issuer?: MadeCertificate;
  isAuthority?: boolean;
  /** Default: from yesterday to in 30 days. */
  notBefore?: Date;
  notAfter?: Date;
  /** Encrypts the key in `key`. */
  password?: string;
}

/** A certificate of the tests, in PEM. */
export interface MadeCertificate {
  name: string;
  cert: string;
  key: string;
  /** As `sha256:` and 64 digits. */
  fingerprint: string;
  privateKey: KeyObject;
}

const DAY_MS = 86_400_000;

/** Makes a certificate and its key (RFC 5280; ECDSA on P-256). */
export function makeCertificate(options: CertificateOptions): MadeCertificate {
  const { name, hosts = ["localhost", "127.0.0.1"], issuer, isAuthority = false } = options;
  const { notBefore = new Date(Date.now() - DAY_MS) } = options;
  const { notAfter = new Date(Date.now() + 30 * DAY_MS), password } = options;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const extensions = [
    extension("551d11", sequence(...hosts.map(hostName))),
    extension("551d13", sequence(...(isAuthority ? [der(0x01, Buffer.of(0xff))] : []))),
  ];
  const content = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ALGORITHM,
    commonName(issuer?.name ?? name),
    sequence(time(notBefore), time(notAfter)),
    commonName(name),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", content, issuer?.privateKey ?? privateKey);
  const bytes = sequence(content, ALGORITHM, der(0x03, Buffer.of(0), signature));
  const lines = bytes.toString("base64").replace(/.{64}/g, "$&\n").trim();
  const cert = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  const cipher = password === undefined ? {} : { cipher: "aes-256-cbc", passphrase: password };
  const key = privateKey.export({ type: "pkcs8", format: "pem", ...cipher }) as string;
  const digits = new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase();
  return { name, cert, key, fingerprint: `sha256:${digits}`, privateKey };
}

/** Writes `cert.pem` and `key.pem` into a folder and returns the flags that name them. */
export function certificateFlags(folder: string, { cert, key }: MadeCertificate): string[] {
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.cert, cert);
  return ["--tls-cert", files.cert, "--tls-key", files.key];
}

const ALGORITHM = sequence(der(0x06, Buffer.from("2a8648ce3d040302", "hex")));

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...contents: Buffer[]): Buffer {
  return der(0x30, ...contents);
}

function commonName(name: string): Buffer {
  const oid = der(0x06, Buffer.from("550403", "hex"));
  return sequence(der(0x31, sequence(oid, der(0x0c, Buffer.from(name)))));
}

function extension(oid: string, value: Buffer): Buffer {
  return sequence(der(0x06, Buffer.from(oid, "hex")), der(0x04, value));
}

function hostName(host: string): Buffer {
  if (!isIPv4(host)) return der(0x82, Buffer.from(host));
  return der(0x87, Buffer.from(host.split(".").map(Number)));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(digits));
}
