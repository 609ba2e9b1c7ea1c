import type { FileHandle } from "node:fs/promises";

const BLOCK_BYTES = 1024 * 1024;

/**
 * Hashes a file in order while its pieces are written in any order: a piece that continues the hash
 * is hashed at once, the others are read back from the file.
 */
export class OrderedDigest {
  readonly #file: FileHandle;
  /** Where the first gap behind a place in the file begins. */
  readonly #reach: (start: number) => number;
  #sha256 = new Bun.CryptoHasher("sha256");
  #at = 0;
  #reading: Promise<void> | undefined;
  #failure: unknown;

  constructor(file: FileHandle, reach: (start: number) => number) {
    this.#file = file;
    this.#reach = reach;
  }

  /** Takes note of a piece that has been written to the file. */
  passed(start: number, bytes: Uint8Array): void {
    if (this.#reading !== undefined) return;
    if (start === this.#at) {
      this.#sha256.update(bytes);
      this.#at += bytes.byteLength;
    }
    if (this.#reach(this.#at) > this.#at) this.#catchUp();
  }

  /** The SHA-256 of the first `size` bytes, in hexadecimal. Throws if the file cannot be read. */
  async finish(size: number): Promise<string> {
    while (this.#at < size) {
      this.#catchUp();
      await this.#reading;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#reach(this.#at) === this.#at) break; // There is a gap: the caller's mistake.
    }
    if (this.#at !== size) throw new Error(`hashed ${this.#at} bytes of ${size}`);
    return this.#sha256.digest("hex");
  }

  /** Waits until the file is no longer being read. */
  async settle(): Promise<void> {
    await this.#reading;
  }

  #catchUp(): void {
    this.#reading ??= this.#readBack()
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#reading = undefined;
      });
  }

  async #readBack(): Promise<void> {
    const block = new Uint8Array(BLOCK_BYTES);
    for (;;) {
      const length = Math.min(BLOCK_BYTES, this.#reach(this.#at) - this.#at);
      if (length <= 0) return;
      const { bytesRead } = await this.#file.read(block, 0, length, this.#at);
      if (bytesRead === 0) throw new Error("the file is shorter than what was written to it");
      this.#sha256.update(block.subarray(0, bytesRead));
      this.#at += bytesRead;
    }
  }
}

/** The SHA-256 of a file on disk, in hexadecimal. Throws the signal's reason. */
export async function hashFile(file: FileHandle, signal: AbortSignal): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, at);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** The git object id of a file (SHA-1), by which the hub identifies small files. */
export async function gitOid(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const hash = new Bun.CryptoHasher("sha1").update(`blob ${size}\0`);
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, at);
    if (bytesRead === 0) break;
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest("hex");
}
