/** A value of a GGUF file's metadata. Of an array of texts only how many there are is kept. */
export type GgufValue = number | boolean | string | number[] | { texts: number };

/** What the beginning of a GGUF file tells. */
export interface GgufHeader {
  version: number;
  /** By key, e.g. `llama.block_count`. */
  metadata: Map<string, GgufValue>;
  /** Complete only if the whole header was read. */
  tensors: GgufTensor[];
  /** Where the weights begin; undefined if only the metadata was read. */
  dataOffset: number | undefined;
}

/** One tensor of a GGUF file. */
export interface GgufTensor {
  name: string;
  /** ggml's number of the element type. */
  type: number;
  dimensions: number[];
}

/** Thrown when the header goes on beyond the bytes that were given. */
export class GgufTooShort extends Error {}

/** Thrown for what is no GGUF file of a version that llama.cpp reads. */
export class GgufInvalid extends Error {}

const MAGIC = 0x46554747; // "GGUF", little endian
const ALIGNMENT_DEFAULT = 32;
const DIMENSIONS_MAX = 4;
const ENTRIES_MAX = 1_000_000;
/** Longer arrays of numbers (scores of tokens) tell nothing that anybody asks for. */
const NUMBERS_MAX = 4096;

/**
 * Reads the beginning of a GGUF file, versions 2 and 3. Throws `GgufTooShort` if there is more of
 * it, and `GgufInvalid`. With `metadataOnly` the tensors are left out.
 * Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function parseGguf(bytes: Uint8Array, options?: { metadataOnly?: boolean }): GgufHeader {
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== MAGIC) throw new GgufInvalid("it does not begin with GGUF");
  const version = cursor.u32();
  if (version !== 2 && version !== 3) throw new GgufInvalid(`its version is ${version}`);
  const tensorCount = cursor.count();
  const entries = cursor.count();
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entries; i += 1) {
    const key = cursor.text();
    metadata.set(key, readValue(cursor, cursor.u32()));
  }
  if (options?.metadataOnly) return { version, metadata, tensors: [], dataOffset: undefined };
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i += 1) tensors.push(readTensor(cursor));
  const stated = metadata.get("general.alignment");
  const alignment = typeof stated === "number" && stated > 0 ? stated : ALIGNMENT_DEFAULT;
  const dataOffset = Math.ceil(cursor.at / alignment) * alignment;
  return { version, metadata, tensors, dataOffset };
}

function readTensor(cursor: Cursor): GgufTensor {
  const name = cursor.text();
  const count = cursor.u32();
  if (count > DIMENSIONS_MAX) throw new GgufInvalid(`a tensor has ${count} dimensions`);
  const dimensions = Array.from({ length: count }, () => cursor.u64());
  const type = cursor.u32();
  cursor.skip(8); // where it begins
  return { name, type, dimensions };
}

/** Types of values, by number: how a number of that type is read, and its bytes. */
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

/** Reads forward, and never beyond the bytes there are, whatever the lengths pretend. */
class Cursor {
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    return this.number(4);
  }

  u64(): number {
    return this.number(10);
  }

  /** A number of things; a header with more is a lie. */
  count(): number {
    const value = this.u64();
    if (value > ENTRIES_MAX) throw new GgufInvalid(`it claims to have ${value} entries`);
    return value;
  }

  number(type: number): number {
    const start = this.at;
    this.skip(this.sizeOf(type));
    return NUMBERS[type]?.read(this.#view, start) ?? 0;
  }

  sizeOf(type: number): number {
    const bytes = NUMBERS[type]?.bytes;
    if (bytes === undefined) throw new GgufInvalid(`it has a value of the unknown type ${type}`);
    return bytes;
  }

  text(): string {
    const bytes = this.u64();
    const start = this.#view.byteOffset + this.at;
    this.skip(bytes);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, start, bytes));
  }

  skip(bytes: number): void {
    const end = this.at + bytes;
    if (end > this.#view.byteLength) throw new GgufTooShort("its header goes on");
    this.at = end;
  }
}
