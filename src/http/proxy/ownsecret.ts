/** Headers in which a target gets a key of ours. */
const SECRET_HEADERS = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
/** Shorter ones are no keys, and might be a word of any text. */
const SECRET_CHARS_MIN = 6;
const MASK = "***";

/**
 * The text of a target's error without the key that it was called with: some servers repeat it, and
 * neither clients nor the history may see it. `headers` are those that the target got from us.
 */
export function withoutOwnSecret(bytes: Buffer, headers: Record<string, string> = {}): Buffer {
  let clean = bytes;
  for (const name of SECRET_HEADERS) {
    const secret = secretIn(headers[name] ?? "");
    if (secret.length < SECRET_CHARS_MIN || !clean.includes(secret)) continue;
    clean = Buffer.from(clean.toString("latin1").replaceAll(secret, MASK), "latin1");
  }
  return clean;
}

/** The credential behind the scheme, if there is one. */
function secretIn(value: string): string {
  return value.replace(/^(?:Bearer|Basic) +/i, "");
}
