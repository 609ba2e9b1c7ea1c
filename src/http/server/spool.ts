import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Most bytes that are kept in memory; with more, all go into a file. */
const MEMORY_BYTES_MAX = 1024 * 1024;
const READ_BYTES = 64 * 1024;

/**
 * Keeps bytes that can be read any number of times: few in memory, many in a file. The name of the
 * file is removed as soon as it is open, so that the file does not outlive the process.
 */
export class Spool {
  readonly #folder: string;
  readonly #memoryBytes: number;
  #pieces: Uint8Array[] = [];
  #file: FileHandle | undefined;
  /** The path of a file whose name could not be removed while it is open. */
  #path: string | undefined;
  #bytes = 0;
  #closed = false;

  constructor(folder: string = tmpdir(), memoryBytes: number = MEMORY_BYTES_MAX) {
    this.#folder = folder;
    this.#memoryBytes = memoryBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds bytes; one call at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.byteLength;
    this.#pieces.push(bytes);
    if (this.#file === undefined && this.#bytes <= this.#memoryBytes) return;
    this.#file ??= await this.#open();
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const piece of pieces) await this.#append(this.#file, piece);
  }

  /** Reads all bytes from the beginning. */
  async *read(): AsyncGenerator<Uint8Array> {
    const file = this.#file;
    if (file === undefined) {
      yield* this.#pieces;
      return;
    }
    for (let at = 0; at < this.#bytes; ) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#bytes - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error("Reading a spool failed: its file is too short.");
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Deletes all bytes. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#pieces = [];
    await this.#file?.close();
    if (this.#path !== undefined) await unlink(this.#path);
  }

  async #open(): Promise<FileHandle> {
    const path = join(this.#folder, `llmlb-${crypto.randomUUID()}`);
    const file = await open(path, "wx+", 0o600);
    await unlink(path).catch(() => {
      this.#path = path; // Some systems do not remove the name of an open file.
    });
    return file;
  }

  async #append(file: FileHandle, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at);
      at += bytesWritten;
    }
  }
}
