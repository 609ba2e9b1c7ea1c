import { createHash, timingSafeEqual } from "node:crypto";

/**
 * A function that compares what a client sends with a secret. It takes the same time for every
 * credential of one length, so that the time says nothing about the secret.
 */
export function secretMatcher(secret: string): (credential: string) => boolean {
  const expected = digestOf(secret);
  return (credential) => timingSafeEqual(digestOf(credential), expected);
}

/** A hash: `timingSafeEqual` needs values of the same length. */
function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
