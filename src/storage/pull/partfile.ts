import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { syncFolder, writeAtomically } from "../atomicwrite.ts";
import { sidePath } from "../sidefile.ts";
import { OrderedDigest } from "./digest.ts";
import { toDiskError } from "./error.ts";
import { Ranges } from "./ranges.ts";

/** The side file `name.part.json`: which bytes of which file have been fetched. */
const Side = z.object({
  url: z.string(),
  etag: z.string().nullable(),
  size: z.number().nullable(),
  sha256: z.string().nullable(),
  done: z.array(z.tuple([z.int().min(0), z.int().min(0)])).max(100_000),
});
type Side = z.infer<typeof Side>;

/** The file that is to be fetched. */
export interface ExpectedFile {
  url: string;
  sizeBytes: number | null;
  sha256: string | null;
}

const CHECKPOINT_MS = 1000;
const CHECKPOINT_BYTES = 256 * 1024 * 1024;

/** A file that is being fetched: `name.part` and its side file. */
export class PartFile {
  readonly path: string;
  readonly #final: string;
  readonly #expected: ExpectedFile;
  readonly #file: FileHandle;
  readonly #done: Ranges;
  #digest: OrderedDigest;
  /** The ETag of the file whose bytes exist; undefined until a server tells it. */
  etag: string | undefined;
  /** Size of the whole file; undefined until the manifest or a server tells it. */
  sizeBytes: number | undefined;
  #checkpointMs = performance.now();
  #checkpointBytes: number;
  #saving: Promise<void> | undefined;
  #failure: unknown;

  private constructor(
    final: string,
    expected: ExpectedFile,
    file: FileHandle,
    side: Side | undefined,
  ) {
    this.path = `${sidePath(final)}.part`;
    this.#final = final;
    this.#expected = expected;
    this.#file = file;
    this.#done = new Ranges(side?.done);
    this.etag = side?.etag ?? undefined;
    this.sizeBytes = expected.sizeBytes ?? side?.size ?? undefined;
    this.#checkpointBytes = this.bytes;
    this.#digest = this.#newDigest();
  }

  /** Opens the part of a file. It is empty if there was none, or one of another file. */
  static async open(final: string, expected: ExpectedFile): Promise<PartFile> {
    const path = `${sidePath(final)}.part`;
    const side = await readSide(`${path}.json`, expected);
    const length = side === undefined ? 0 : ((await stat(path).catch(() => undefined))?.size ?? 0);
    // After a power cut the file may be shorter than its side file says.
    const whole = length > 0 && (side?.done.every(([, end]) => end <= length) ?? false);
    try {
      const file = await open(path, whole ? "r+" : "w+");
      return new PartFile(final, expected, file, whole ? side : undefined);
    } catch (error) {
      throw toDiskError(error, path);
    }
  }

  /** How many bytes have been written. */
  get bytes(): number {
    return this.#done.bytes;
  }

  gaps(sizeBytes: number): [number, number][] {
    return this.#done.gaps(sizeBytes);
  }

  /** Where the first gap begins. */
  get reach(): number {
    return this.#done.reach(0);
  }

  /** Writes a piece; saves the side file every second or 256 MiB. Throws `PullError` and others. */
  async write(start: number, bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (let at = 0; at < bytes.byteLength; ) {
        const length = bytes.byteLength - at;
        at += (await this.#file.write(bytes, at, length, start + at)).bytesWritten;
      }
    } catch (error) {
      throw toDiskError(error, this.path);
    }
    this.#done.add(start, start + bytes.byteLength);
    this.#digest.passed(start, bytes);
    const late = performance.now() - this.#checkpointMs > CHECKPOINT_MS;
    if (late || this.bytes - this.#checkpointBytes > CHECKPOINT_BYTES) this.#checkpoint();
  }

  /** Discards all bytes: they are wrong, or the file has changed. */
  async restart(): Promise<void> {
    await this.#saving;
    await this.#digest.settle();
    await rm(`${this.path}.json`, { force: true });
    await this.#file.truncate(0);
    this.#done.clear();
    this.etag = undefined;
    this.sizeBytes = this.#expected.sizeBytes ?? undefined;
    this.#checkpointBytes = 0;
    this.#digest = this.#newDigest();
  }

  /** The SHA-256 of the file, which must be whole. */
  async digest(): Promise<string> {
    return this.#digest.finish(this.bytes);
  }

  get handle(): FileHandle {
    return this.#file;
  }

  /** Saves the side file, so that a later pull continues here. */
  async save(): Promise<void> {
    await this.#saving;
    if (this.#failure !== undefined) return;
    await this.#save().catch(() => undefined); // Then more is fetched again.
  }

  /**
   * Gives the whole, verified file its name, if `isOwned` says that the part still belongs to this
   * process. Returns the file's modification time in ms.
   */
  async finish(isOwned: () => Promise<boolean>): Promise<number> {
    await this.#saving;
    try {
      await this.#file.truncate(this.bytes);
      await this.#file.sync();
      const [own, named] = await Promise.all([this.#file.stat(), stat(this.path)]);
      if (own.ino !== named.ino || !(await isOwned())) {
        throw new Error(`${this.path} was taken over by another process`);
      }
      await rename(this.path, this.#final);
      await syncFolder(dirname(this.#final));
      await rm(`${this.path}.json`, { force: true });
      return own.mtimeMs;
    } catch (error) {
      throw toDiskError(error, this.path);
    }
  }

  /** Removes the part and its side file. */
  async discard(): Promise<void> {
    await this.#saving;
    await rm(`${this.path}.json`, { force: true });
    await rm(this.path, { force: true });
  }

  async close(): Promise<void> {
    await this.#saving;
    await this.#digest.settle();
    await this.#file.close();
  }

  #newDigest(): OrderedDigest {
    return new OrderedDigest(this.#file, (start) => this.#done.reach(start));
  }

  #checkpoint(): void {
    if (this.#saving !== undefined) return;
    this.#checkpointMs = performance.now();
    this.#checkpointBytes = this.bytes;
    this.#saving = this.#save()
      .catch((error: unknown) => {
        this.#failure = toDiskError(error, this.path);
      })
      .finally(() => {
        this.#saving = undefined;
      });
  }

  /** Writes the side file, after the bytes that it lists are on the disk. */
  async #save(): Promise<void> {
    const side: Side = {
      url: this.#expected.url,
      etag: this.etag ?? null,
      size: this.sizeBytes ?? null,
      sha256: this.#expected.sha256,
      done: structuredClone(this.#done.toJSON()),
    };
    await this.#file.datasync();
    await writeAtomically(`${this.path}.json`, JSON.stringify(side), { unsynced: true });
  }
}

/** Reads the side file; undefined if there is none, or one of another file. */
async function readSide(path: string, expected: ExpectedFile): Promise<Side | undefined> {
  try {
    const side = Side.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
    if (side === undefined) return undefined;
    const { sizeBytes, sha256 } = expected;
    const otherSize = sizeBytes !== null && side.size !== null && side.size !== sizeBytes;
    // The same file may come from another address; without a hash only the address identifies it.
    const other = sha256 === null ? side.url !== expected.url : side.sha256 !== sha256;
    return otherSize || other ? undefined : side;
  } catch {
    return undefined; // There is none, or one that cannot be read.
  }
}

/** How many bytes of a file have been fetched, by the side file of whichever process fetches it. */
export async function notedBytes(final: string): Promise<number> {
  try {
    const text = await readFile(`${sidePath(final)}.part.json`, "utf8");
    const side = Side.safeParse(JSON.parse(text)).data;
    return new Ranges(side?.done).bytes;
  } catch {
    return 0; // nothing noted yet
  }
}
