/** How a model condenses a text into one vector; a `rank` model scores pairs of texts instead. */
export type Pooling = "mean" | "cls" | "last" | "rank";

/** llama.cpp's numbers, `enum llama_pooling_type` in include/llama.h; 0 is none. */
const POOLINGS: Record<number, Pooling> = { 1: "mean", 2: "cls", 3: "last", 4: "rank" };

/** The architecture's parameters come before the vocabulary: they are within the first bytes. */
const HEADER_BYTES_MAX = 1024 * 1024;

const MAGIC = 0x46554747; // "GGUF", little endian
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

/** Sizes of the scalar types, by number. */
const SCALAR_BYTES: Record<number, number> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

/**
 * The pooling that a GGUF file's metadata names (`<architecture>.pooling_type`): set by dedicated
 * embedding and rerank models. Undefined for all other models and for files that are not GGUF,
 * which the engine itself explains better.
 * Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export async function readPooling(path: string): Promise<Pooling | undefined> {
  let pooling: Pooling | undefined;
  await visitEntries(path, (key, type, cursor) => {
    if (!key.endsWith(".pooling_type") || SCALAR_BYTES[type] !== 4) return "skip";
    pooling = POOLINGS[cursor.u32()];
    return "stop";
  });
  return pooling;
}

/** What a projector lets a model take in. */
export interface Senses {
  vision: boolean;
  audio: boolean;
}

/**
 * What a projector's metadata says that it is for (`clip.has_vision_encoder`,
 * `clip.has_audio_encoder`); images where it says nothing, as the oldest ones do.
 */
export async function readSenses(path: string): Promise<Senses> {
  const found: Partial<Senses> = {};
  await visitEntries(path, (key, type, cursor) => {
    const [, sense] = /^clip\.has_(vision|audio)_encoder$/.exec(key) ?? [];
    if (type !== BOOL || (sense !== "vision" && sense !== "audio")) return "skip";
    found[sense] = cursor.u8() !== 0;
    return "go on";
  });
  const { audio = false, vision = !audio } = found;
  return { vision, audio };
}

/** Looks at an entry's value: passes over it, has read it, or needs no more of them. */
type Visit = (key: string, type: number, cursor: Cursor) => "skip" | "go on" | "stop";

/** Goes through a file's metadata, as far as it can be read. */
async function visitEntries(path: string, visit: Visit): Promise<void> {
  let head: ArrayBuffer;
  try {
    head = await Bun.file(path).slice(0, HEADER_BYTES_MAX).arrayBuffer();
  } catch {
    return; // unreadable: the engine says why
  }
  try {
    const cursor = new Cursor(new DataView(head));
    if (cursor.u32() !== MAGIC || cursor.u32() < 2) return;
    cursor.skip(8); // number of tensors
    const entries = cursor.u64();
    for (let i = 0; i < entries; i += 1) {
      const key = cursor.text();
      const type = cursor.u32();
      const next = visit(key, type, cursor);
      if (next === "stop") return;
      if (next === "skip") skipValue(cursor, type);
    }
  } catch (cause) {
    if (cause instanceof RangeError) return; // past the part that was read
    throw cause;
  }
}

function skipValue(cursor: Cursor, type: number): void {
  if (type === STRING) {
    cursor.skip(cursor.u64());
  } else if (type === ARRAY) {
    const element = cursor.u32();
    const count = cursor.u64();
    for (let i = 0; element === STRING && i < count; i += 1) cursor.skip(cursor.u64());
    if (element !== STRING) cursor.skip(count * scalarBytes(element));
  } else {
    cursor.skip(scalarBytes(type));
  }
}

function scalarBytes(type: number): number {
  const bytes = SCALAR_BYTES[type];
  if (bytes === undefined) throw new RangeError(`GGUF value type ${type} is unknown`);
  return bytes;
}

/** Reads forward; DataView throws a RangeError beyond the end, whatever the lengths pretend. */
class Cursor {
  readonly #view: DataView;
  #at = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  u8(): number {
    const value = this.#view.getUint8(this.#at);
    this.#at += 1;
    return value;
  }

  u32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  u64(): number {
    const value = Number(this.#view.getBigUint64(this.#at, true));
    this.#at += 8;
    return value;
  }

  text(): string {
    const bytes = this.u64();
    const start = this.#view.byteOffset + this.#at;
    this.skip(bytes);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, start, bytes));
  }

  skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#view.byteLength) throw new RangeError("GGUF header: read past the end");
  }
}
