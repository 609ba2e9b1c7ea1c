import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import { errorMessage } from "../../lib/errormessage.ts";

/** One executable of a release. */
const ReleaseFile = z.object({
  /** Such as `linux-x64`, or `linux-x64-cuda` for one with other things inside. */
  platform: z.string().regex(/^[a-z0-9-]{1,40}$/),
  /** Where it is; relative to the feed. */
  url: z.string().min(1).max(2048),
  size_bytes: z.number().int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ReleaseFile = z.infer<typeof ReleaseFile>;

/** What a feed says of the newest release. */
export const Release = z.object({
  /** Of this description itself. */
  format: z.literal(1),
  version: z.string().regex(/^\d+\.\d+\.\d+(-[\w.-]+)?$/),
  released_at: z.string(),
  /** What has changed, in a few lines. */
  notes: z.string().max(10_000).optional(),
  files: z.array(ReleaseFile).max(100),
});
export type Release = z.infer<typeof Release>;

/** A feed: the description of a release as text, and who has signed just these bytes. */
export const Feed = z.object({
  release: z.string(),
  signatures: z
    .array(z.object({ key: z.string(), signature: z.string().max(200) }))
    .min(1)
    .max(10),
});
export type Feed = z.infer<typeof Feed>;

/** Stands before what is signed, so that a signature means a release and nothing else. */
const SIGNED_AS = "llmlb release 1\n";

/** What is signed of the text of a release. */
export function signedBytes(release: string): Uint8Array {
  return new TextEncoder().encode(SIGNED_AS + release);
}

/** The name of a public key of 32 bytes in base64. */
export function keyName(key: string): string {
  return createHash("sha256").update(Buffer.from(key, "base64")).digest("hex").slice(0, 16);
}

/**
 * The release that a feed tells of, once one of the keys has signed it. Nothing of it is looked at
 * before. Throws an error with the reason, a sentence without its beginning.
 */
export function openFeed(text: string, keys: readonly string[]): Release {
  const feed = parsed(Feed, text, "it is no feed of llmlb");
  const bytes = signedBytes(feed.release);
  const isSigned = feed.signatures.some(({ key, signature }) => {
    const known = keys.find((one) => keyName(one) === key);
    return known !== undefined && isSignature(known, bytes, signature);
  });
  if (!isSigned) {
    throw new Error("it is not signed with a key that this llmlb knows: do not trust it");
  }
  return parsed(Release, feed.release, "what is signed describes no release that this llmlb reads");
}

function isSignature(key: string, bytes: Uint8Array, signature: string): boolean {
  try {
    return verify(null, bytes, publicKey(key), Buffer.from(signature, "base64"));
  } catch {
    return false; // It is no signature at all.
  }
}

function publicKey(key: string): KeyObject {
  const x = Buffer.from(key, "base64").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

function parsed<T>(schema: z.ZodType<T>, text: string, otherwise: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${otherwise} (${errorMessage(cause).slice(0, 200)})`, { cause });
  }
}
