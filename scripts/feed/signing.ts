import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Feed, keyName, type Release, signedBytes } from "../../src/cli/update/feed.ts";

/** A new pair of keys: the private one as PEM, the public one as executables have it. */
export function newReleaseKey(): { privateKey: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { privateKey: pem, publicKey: publicKeyOf(pem) };
}

/** The public key of a private one: 32 bytes as base64. */
export function publicKeyOf(privateKey: string): string {
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  return Buffer.from(x, "base64url").toString("base64");
}

/** The text of a feed that tells of a release, signed with each of the private keys. */
export function signFeed(release: Release, privateKeys: readonly string[]): string {
  const text = JSON.stringify(release);
  const feed: Feed = {
    release: text,
    signatures: privateKeys.map((key) => ({
      key: keyName(publicKeyOf(key)),
      signature: sign(null, signedBytes(text), createPrivateKey(key)).toString("base64"),
    })),
  };
  return `${JSON.stringify(feed, null, 2)}\n`;
}

/** Reads private keys from their files. Throws for what is none. */
export function readKeys(files: readonly string[]): Promise<string[]> {
  return Promise.all(files.map(readKey));
}

async function readKey(file: string): Promise<string> {
  const key = await readFile(file, "utf8");
  try {
    publicKeyOf(key);
    return key;
  } catch (cause) {
    throw new Error(`Reading the key ${file}: it is no private key as PEM.`, { cause });
  }
}
