/** What identifies a file: its size and hash. Throws if it cannot be read. */
export async function digestOf(path: string): Promise<{ size_bytes: number; sha256: string }> {
  const hash = new Bun.CryptoHasher("sha256");
  let sizeBytes = 0;
  for await (const chunk of Bun.file(path).stream()) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { size_bytes: sizeBytes, sha256: hash.digest("hex") };
}
