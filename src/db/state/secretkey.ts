import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { chmodSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;

/** Encrypts texts with `secret.key` (AES-256-GCM). */
export interface SecretKey {
  /** Encrypts a text. The result is bound to `owner`: only the same owner can open it. */
  seal(text: string, owner: string): Uint8Array;
  /** Decrypts it. Throws if another key or owner sealed it, or if it is damaged. */
  open(sealed: Uint8Array, owner: string): string;
  /** A key for another use, which follows from this one and the name of the use. */
  derive(use: string): Uint8Array;
}

/** Reads `secret.key` in the data folder `home`, or makes one. Throws if the file is damaged. */
export function openSecretKey(home: string): SecretKey {
  const path = pathIn(home);
  return secretKeyOf(readKey(path) ?? createKey(path));
}

/** The same, but makes none: undefined. */
export function readSecretKey(home: string): SecretKey | undefined {
  const key = readKey(pathIn(home));
  return key === undefined ? undefined : secretKeyOf(key);
}

function pathIn(home: string): string {
  return join(home, "secret.key");
}

function secretKeyOf(key: Buffer): SecretKey {
  return {
    seal(text, owner) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return new Uint8Array(Buffer.concat([Buffer.of(FORMAT), iv, cipher.getAuthTag(), body]));
    },
    open(sealed, owner) {
      const bytes = Buffer.from(sealed);
      const body = 1 + IV_BYTES + TAG_BYTES;
      if (bytes.length < body || bytes[0] !== FORMAT) throw new Error("Opening a secret: damaged.");
      const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(1, 1 + IV_BYTES));
      cipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(1 + IV_BYTES, body));
      return cipher.update(bytes.subarray(body), undefined, "utf8") + cipher.final("utf8");
    },
    derive: (use) => new Uint8Array(hkdfSync("sha256", key, "", `llmlb ${use}`, KEY_BYTES)),
  };
}

function readKey(path: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`Reading ${path}: ${String(cause)}`, { cause });
  }
  const key = Buffer.from(text, "base64");
  if (key.length === KEY_BYTES) return key;
  throw new Error(
    `Reading ${path}: it holds no key. Restore it from a backup, or remove it and set the API ` +
      "keys of all endpoints again.",
  );
}

/** Makes the file by a link: it appears as a whole, and only if no other process was faster. */
function createKey(path: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}`;
  writeFileSync(temporary, `${key.toString("base64")}\n`, { mode: 0o600, flag: "wx", flush: true });
  try {
    chmodSync(temporary, 0o600);
    linkSync(temporary, path);
    return key;
  } catch (cause) {
    const existing = readKey(path);
    if (existing !== undefined) return existing;
    if ((cause as NodeJS.ErrnoException).code !== "EPERM") throw cause;
    renameSync(temporary, path); // A file system without links.
    return key;
  } finally {
    rmSync(temporary, { force: true });
  }
}
