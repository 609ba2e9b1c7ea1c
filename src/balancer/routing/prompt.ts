import { withFixedStamp } from "../../wire/clientstamp.ts";

/** Length of the first chunks: about 64 tokens. */
export const CHUNK_CHARS_MIN = 256;
/** Later chunks are this part of what lies before them, so their number grows but slowly. */
const CHUNK_SHIFT = 3;
/** Chunks of one prompt: 1.5 million characters; what comes after tells prompts apart no better. */
export const CHUNKS_MAX = 64;

/** In the order in which chat templates put them: what seldom changes comes first. */
const PARTS = ["tools", "system", "instructions", "messages", "prompt", "input"] as const;

/** Fields that are in every message: they tell no prompts apart. */
const SILENT_KEYS = new Set(["role", "content", "text", "type"]);
/** Clients move this mark to the last message with every turn. */
const MOVING_MARK = "cache_control";

const SEPARATOR = "\n";
/** Bits of a hash that a number holds exactly. */
const HASH_BITS = 52;

/**
 * The fingerprint of a prompt for one model: a hash per chunk of its text, each over everything up
 * to the end of its chunk. Two prompts that begin alike have equal hashes up to the last boundary
 * before their difference, so a chat's next turn extends the fingerprint of the last one.
 *
 * The text is what `tools`, `system` (or `instructions`) and `messages` (or `prompt`, `input`) say,
 * whatever the order of the fields and however they are written; where chunks end follows from the
 * length alone. Empty for prompts below 256 characters, which are not worth a detour.
 */
export function fingerprint(model: string, body: object): Float64Array {
  const hasher = new ChunkHasher(model);
  const parts = body as Partial<Record<(typeof PARTS)[number], unknown>>;
  for (const part of PARTS) {
    const value = parts[part];
    if (value !== undefined && value !== null) feed(value, hasher);
  }
  return hasher.hashes();
}

/** Puts the words of a JSON value into a hasher; its depth was limited when it was parsed. */
function feed(value: unknown, hasher: ChunkHasher): void {
  if (typeof value === "string") {
    hasher.add(withFixedStamp(value));
  } else if (typeof value === "number" || typeof value === "boolean") {
    hasher.add(String(value));
  } else if (Array.isArray(value)) {
    for (const item of value) {
      // There may be a million more.
      if (hasher.isFull) return;
      feed(item, hasher);
    }
  } else if (typeof value === "object" && value !== null) {
    feedFields(value as Record<string, unknown>, hasher);
  }
}

function feedFields(fields: Record<string, unknown>, hasher: ChunkHasher): void {
  for (const key in fields) {
    if (hasher.isFull) return;
    const field = fields[key];
    if (key === MOVING_MARK || (key === "type" && field === "text")) continue;
    if (!SILENT_KEYS.has(key)) hasher.add(key);
    feed(field, hasher);
  }
}

/** Cuts text into chunks and hashes them in a chain. */
class ChunkHasher {
  readonly #hashes = new Float64Array(CHUNKS_MAX);
  #count = 0;
  #chain: bigint;
  /** Text after the last boundary. */
  #tail = "";
  /** Characters before the last boundary. */
  #done = 0;
  #chunkChars = CHUNK_CHARS_MIN;

  constructor(seed: string) {
    this.#chain = hash(seed, 0n);
  }

  /** No more text has an influence. */
  get isFull(): boolean {
    return this.#count === CHUNKS_MAX;
  }

  add(text: string): void {
    if (this.isFull) return;
    let at = 0;
    while (this.#tail.length + text.length - at >= this.#chunkChars) {
      const end = at + this.#chunkChars - this.#tail.length;
      this.#cut(this.#tail + text.slice(at, end));
      if (this.isFull) return;
      at = end;
    }
    this.#tail += at === 0 ? text + SEPARATOR : text.slice(at) + SEPARATOR;
  }

  hashes(): Float64Array {
    return this.#hashes.slice(0, this.#count);
  }

  #cut(chunk: string): void {
    this.#chain = hash(chunk, this.#chain);
    this.#hashes[this.#count] = Number(BigInt.asUintN(HASH_BITS, this.#chain));
    this.#count += 1;
    this.#tail = "";
    this.#done += chunk.length;
    this.#chunkChars = Math.max(CHUNK_CHARS_MIN, this.#done >> CHUNK_SHIFT);
  }
}

function hash(text: string, seed: bigint): bigint {
  return Bun.hash.wyhash(text, seed);
}
