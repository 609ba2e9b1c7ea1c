/** The decoded bytes, or why a text is not base64; `isExact` if it is as strict readers want it. */
export type Base64Result = { bytes: Buffer; isExact: boolean } | { reason: string };

const GROUP = 4;

/** The number of bytes that a base64 text decodes to, if it is valid and has no white space. */
export function decodedBytes(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / GROUP);
}

/**
 * Decodes base64 (RFC 4648, 4). Line ends and other white space, the URL alphabet and missing
 * padding are passed over, as most decoders do; it is not exact then, because an endpoint that
 * decodes it next may be strict.
 */
export function decodeBase64(text: string): Base64Result {
  if (text === "") return { reason: "it is empty" };
  const bytes = Buffer.from(text, "base64");
  // The decoder skips invalid characters, and accepts the URL alphabet, too.
  const isWhole = text.length % GROUP === 0 && bytes.byteLength === decodedBytes(text);
  if (isWhole && !text.includes("-") && !text.includes("_")) return { bytes, isExact: true };
  const body = text.replace(/\s+/g, "").replace(/={1,2}$/, "");
  const rest = body.length % GROUP;
  const isValid = rest !== 1 && body !== "" && !/[^A-Za-z0-9+/_-]/.test(body);
  return isValid ? { bytes, isExact: false } : { reason: faultOf(text, body.length) };
}

function faultOf(text: string, length: number): string {
  const body = text.replace(/[=\s]{1,4}$/, "");
  const at = body.search(/[^A-Za-z0-9+/_\s-]/);
  if (at >= 0) return `${JSON.stringify(body.charAt(at))} at position ${at} is not allowed`;
  return `a text of ${length} characters cannot be: some are missing`;
}
