/** The decoded bytes, or why a text is not base64. */
export type Base64Result = { bytes: Buffer } | { reason: string };

const GROUP = 4;

/** The number of bytes that a base64 text decodes to, if it is valid. */
export function decodedBytes(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / GROUP);
}

/**
 * Decodes base64 (RFC 4648, 4) strictly: no line ends, no characters of the URL alphabet, padded to
 * a multiple of four, because endpoints that decode it next may be strict as well.
 */
export function decodeBase64(text: string): Base64Result {
  if (text === "") return { reason: "it is empty" };
  const bytes = Buffer.from(text, "base64");
  // The decoder skips invalid characters, and accepts the URL alphabet, too.
  const isWhole = text.length % GROUP === 0 && bytes.byteLength === decodedBytes(text);
  if (isWhole && !text.includes("-") && !text.includes("_")) return { bytes };
  return { reason: faultOf(text) };
}

function faultOf(text: string): string {
  const body = text.replace(/={1,2}$/, "");
  const at = body.search(/[^A-Za-z0-9+/]/);
  if (at >= 0) return `${JSON.stringify(body.charAt(at))} at position ${at} is not allowed`;
  return `its length of ${text.length} is no multiple of ${GROUP}: pad it with =`;
}
