import { closeSync, openSync, writeSync } from "node:fs";

/** A tensor as a GGUF file lists it. */
export interface Tensor {
  name: string;
  /** Fastest dimension first, as GGUF has it. */
  shape: number[];
  type: TensorType;
  /** Standard deviation of its random weights; a tensor of type `f32` holds just this number. */
  scale: number;
}

export type TensorType = "f32" | "q4_0" | "q8_0";

/** ggml's numbers of the types, and how they pack weights into blocks. */
const TYPES = {
  f32: { id: 0, blockWeights: 1, blockBytes: 4, spread: 1 },
  /** f16 scale, 32 weights of 4 bits from -8 to 7. */
  q4_0: { id: 2, blockWeights: 32, blockBytes: 18, spread: 4.6 },
  /** f16 scale, 32 weights of 8 bits. */
  q8_0: { id: 8, blockWeights: 32, blockBytes: 34, spread: 73.9 },
} as const;

const MAGIC = 0x46554747; // "GGUF", little endian
const VERSION = 3;
const ALIGNMENT = 32;
const VALUE = { u32: 4, f32: 6, string: 8, array: 9 } as const;
const SCALAR_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/** A value of the metadata in the file's own encoding: its type, then its bytes. */
export type GgufBytes = Uint8Array;

export function u32(value: number): GgufBytes {
  return words(VALUE.u32, value);
}

export function f32(value: number): GgufBytes {
  const out = words(VALUE.f32, 0);
  new DataView(out.buffer).setFloat32(4, value, true);
  return out;
}

export function text(value: string): GgufBytes {
  return Buffer.concat([words(VALUE.string), sized(value)]);
}

/** The metadata of a GGUF file, undecoded, so that it can be written into another. */
export function readMetadata(file: Uint8Array): Map<string, GgufBytes> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const metadata = new Map<string, GgufBytes>();
  let at = 24; // magic, version, number of tensors, number of entries
  for (let left = count(view, 16); left > 0; left -= 1) {
    const length = count(view, at);
    const key = new TextDecoder().decode(file.subarray(at + 8, at + 8 + length));
    at += 8 + length;
    const end = valueEnd(view, at + 4, view.getUint32(at, true));
    metadata.set(key, file.slice(at, end));
    at = end;
  }
  return metadata;
}

function valueEnd(view: DataView, at: number, type: number): number {
  if (type === VALUE.string) return at + 8 + count(view, at);
  if (type !== VALUE.array) return at + (SCALAR_BYTES[type] ?? 0);
  const element = view.getUint32(at, true);
  let end = at + 12;
  for (let left = count(view, at + 4); left > 0; left -= 1) end = valueEnd(view, end, element);
  return end;
}

function count(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

export interface GgufFile {
  metadata: Map<string, GgufBytes>;
  tensors: Tensor[];
  /** Other weights for each number below 2³². Default: 0. */
  seed?: number;
}

/**
 * Writes a GGUF file (version 3) whose tensors hold random weights, the same for the same input.
 * Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function writeGguf(path: string, { metadata, tensors, seed = 0 }: GgufFile): void {
  const head: Uint8Array[] = [words(MAGIC, VERSION), longs(tensors.length, metadata.size)];
  for (const [key, value] of metadata) head.push(sized(key), value);
  let offset = 0;
  for (const { name, shape, type, ...rest } of tensors) {
    head.push(sized(name), words(shape.length), longs(...shape));
    head.push(words(TYPES[type].id), longs(offset));
    offset = aligned(offset + byteLength({ name, shape, type, ...rest }));
  }
  const file = openSync(path, "w");
  try {
    writePadded(file, Buffer.concat(head));
    const noise = new Noise(seed);
    for (const tensor of tensors) writePadded(file, noise.of(tensor), byteLength(tensor));
  } finally {
    closeSync(file);
  }
}

/** Bytes of a tensor's weights in the file. */
export function byteLength({ shape, type }: Tensor): number {
  const { blockWeights, blockBytes } = TYPES[type];
  return (shape.reduce((a, b) => a * b, 1) / blockWeights) * blockBytes;
}

/** Writes `bytes`, repeated up to `length`, and zeros up to the next tensor's place. */
function writePadded(file: number, bytes: Uint8Array, length = bytes.byteLength): void {
  for (let left = length; left > 0; ) {
    left -= writeSync(file, bytes, 0, Math.min(left, bytes.byteLength));
  }
  writeSync(file, new Uint8Array(aligned(length) - length));
}

/** Random blocks, a prime number of them, so that no two rows of a tensor are alike. */
class Noise {
  static readonly #BLOCKS = 30_011;
  readonly #random: Uint8Array<ArrayBuffer>;

  constructor(seed: number) {
    this.#random = randomBytes(Noise.#BLOCKS * TYPES.q8_0.blockBytes, seed);
  }

  of({ type, scale }: Tensor): Uint8Array {
    const { blockBytes, spread } = TYPES[type];
    if (type === "f32") return new Uint8Array(new Float32Array(1024).fill(scale).buffer);
    const bytes = this.#random.slice(0, Noise.#BLOCKS * blockBytes);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.byteLength; at += blockBytes) {
      view.setFloat16(at, scale / spread, true);
    }
    return bytes;
  }
}

/** Marsaglia's xorshift32: fast, and good enough for weights that mean nothing. */
function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const out = new Uint32Array(Math.ceil(length / 4));
  // It must not be 0, where the generator stands still.
  let state = 0x9e3779b9 ^ Math.imul(seed, 0x85ebca6b) || 1;
  for (let i = 0; i < out.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state;
  }
  return new Uint8Array(out.buffer, 0, length);
}

function words(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array(values).buffer);
}

function longs(...values: number[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(values.map(BigInt)).buffer);
}

function sized(value: string): Uint8Array {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([longs(bytes.byteLength), bytes]);
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
