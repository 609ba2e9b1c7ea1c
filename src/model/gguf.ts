/** A value of a GGUF file's metadata. An array of strings is kept only as its length. */
export type GgufValue = number | boolean | string | number[] | { texts: number };

/** What a GGUF file says about itself, by key, e.g. `llama.block_count`. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Thrown when the metadata goes on beyond the given bytes. */
export class GgufTruncatedError extends Error {}

/** Thrown for a file that is not GGUF of a version that llama.cpp reads. */
export class GgufFormatError extends Error {}

const MAGIC = 0x46554747; // "GGUF", little endian
const ENTRIES_MAX = 1_000_000;
/** Longer arrays of numbers, such as the scores of tokens, are skipped: nothing here reads them. */
const NUMBERS_MAX = 4096;

/**
 * The metadata at the beginning of a GGUF file, versions 2 and 3. Throws `GgufTruncatedError` if
 * the bytes end before it does, and `GgufFormatError`.
 */
export function parseGguf(bytes: Uint8Array): GgufMetadata {
  return new Map(ggufEntries(bytes));
}

/**
 * The entries of a GGUF file's metadata in their order, each parsed when it is asked for. Throws as
 * `parseGguf` does. Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function* ggufEntries(bytes: Uint8Array): Generator<[key: string, value: GgufValue]> {
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== MAGIC) throw new GgufFormatError("it does not begin with GGUF");
  const version = cursor.u32();
  if (version !== 2 && version !== 3) throw new GgufFormatError(`its version is ${version}`);
  cursor.count(); // tensors
  const entries = cursor.count();
  for (let i = 0; i < entries; i += 1) {
    const key = cursor.text();
    yield [key, readValue(cursor, cursor.u32())];
  }
}

/** The number types by their id in the file: size in bytes, and how one is read. */
const NUMBERS: Record<number, { bytes: number; read(view: DataView, at: number): number }> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) },
  10: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

function readValue(cursor: Cursor, type: number): GgufValue {
  if (type === STRING) return cursor.text();
  if (type === ARRAY) return readArray(cursor);
  const value = cursor.number(type);
  return type === BOOL ? value !== 0 : value;
}

function readArray(cursor: Cursor): GgufValue {
  const element = cursor.u32();
  const count = cursor.u64();
  if (element === STRING) {
    for (let i = 0; i < count; i += 1) cursor.skip(cursor.u64());
    return { texts: count };
  }
  if (count > NUMBERS_MAX) {
    cursor.skip(count * cursor.sizeOf(element));
    return [];
  }
  return Array.from({ length: count }, () => cursor.number(element));
}

const DECODER = new TextDecoder();

/** Reads forward, and never past the end of the bytes, whatever lengths the file claims. */
class Cursor {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    return this.number(4);
  }

  u64(): number {
    return this.number(10);
  }

  /** How many tensors or entries the file claims to have. */
  count(): number {
    const value = this.u64();
    if (value > ENTRIES_MAX) throw new GgufFormatError(`it claims to have ${value} entries`);
    return value;
  }

  number(type: number): number {
    const start = this.#at;
    this.skip(this.sizeOf(type));
    return NUMBERS[type]?.read(this.#view, start) ?? 0;
  }

  sizeOf(type: number): number {
    const bytes = NUMBERS[type]?.bytes;
    if (bytes === undefined)
      throw new GgufFormatError(`it has a value of the unknown type ${type}`);
    return bytes;
  }

  text(): string {
    const bytes = this.u64();
    const start = this.#view.byteOffset + this.#at;
    this.skip(bytes);
    return DECODER.decode(new Uint8Array(this.#view.buffer, start, bytes));
  }

  skip(bytes: number): void {
    const end = this.#at + bytes;
    if (end > this.#view.byteLength) throw new GgufTruncatedError("its header goes on");
    this.#at = end;
  }
}
