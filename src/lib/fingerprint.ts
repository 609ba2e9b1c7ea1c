const DIGITS = 64;

/**
 * Reads the SHA-256 fingerprint of a certificate in any common spelling, also as
 * `openssl x509 -fingerprint -sha256` prints it, and returns it as `sha256:` and 64 lower-case
 * digits. Undefined for any other text.
 */
export function parseFingerprint(text: string): string | undefined {
  const bare = text.trim().replace(/^sha-?256(?: fingerprint)?\s*[:=]\s*/i, "");
  const digits = bare.replace(/[:\s]/g, "").toLowerCase();
  return digits.length === DIGITS && /^[0-9a-f]+$/.test(digits) ? `sha256:${digits}` : undefined;
}
