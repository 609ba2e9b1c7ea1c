/** The same bytes as a `Buffer`, without a copy: most are one already, and a view has its cost. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The bytes of those that are there, in one piece; undefined for none. */
export function joinedBytes(...parts: (Uint8Array | undefined)[]): Uint8Array | undefined {
  const there = parts.filter((part) => part !== undefined);
  return there.length > 1 ? Buffer.concat(there) : there[0];
}
