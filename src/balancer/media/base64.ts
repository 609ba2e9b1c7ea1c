/** Decoded bytes, or why a text is no base64. */
export type Decoded = { bytes: Buffer } | { reason: string };

const GROUP = 4;

/** How many bytes a base64 text stands for, if it is one. */
export function decodedBytes(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / GROUP);
}

/**
 * Decodes base64 (RFC 4648, 4) without leniency: no line ends, no letters of the URL alphabet,
 * padded to a multiple of four. The endpoint that decodes it next may be strict in its own way.
 */
export function decodeBase64(text: string): Decoded {
  if (text === "") return { reason: "it is empty" };
  const bytes = Buffer.from(text, "base64");
  // The decoder passes over what it does not know, and knows two alphabets.
  const whole = text.length % GROUP === 0 && bytes.byteLength === decodedBytes(text);
  if (whole && !text.includes("-") && !text.includes("_")) return { bytes };
  return { reason: faultOf(text) };
}

function faultOf(text: string): string {
  const body = text.replace(/={1,2}$/, "");
  const at = body.search(/[^A-Za-z0-9+/]/);
  if (at >= 0) return `${JSON.stringify(body.charAt(at))} at position ${at} is not allowed`;
  return `its length of ${text.length} is no multiple of ${GROUP}: pad it with =`;
}
