import { createHash, randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHARS = 32;
/** Of a key these characters may be shown, so that people recognise theirs. */
const SHOWN_CHARS = 7;

/** A new API key: `sk_` and 32 letters and digits, 190 random bits. */
export function newApiKey(): string {
  return `sk_${randomText(CHARS)}`;
}

/** Random letters and digits. */
export function randomText(chars: number): string {
  let text = "";
  while (text.length < chars) {
    for (const byte of randomBytes(chars)) {
      // Larger bytes would make the first letters likelier.
      if (byte < 4 * ALPHABET.length && text.length < chars)
        text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}

/** What may be shown of a key: its beginning. */
export function prefixOf(key: string): string {
  return key.slice(0, SHOWN_CHARS);
}

/** A plain hash is enough: nobody can guess a long random key. */
export function keyHash(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}
