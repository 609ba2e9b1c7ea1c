import { mulberry32 } from "../random.ts";

/** A damaged copy of a file, and where it was damaged, for the message of a failed test. */
export interface Mutant {
  bytes: Buffer;
  what: string;
}

/** Lengths, counts, types and offsets as hostile files have them. */
const EVIL = [0n, 1n, 0xffn, 0x7fffffffn, 0xffffffffn, 1n << 40n, (1n << 63n) - 1n, -1n];

/**
 * A damaged copy of a GGUF file, the same for the same seed. Most damage is to the header (metadata
 * and tensor list), where lengths and offsets are.
 */
export function mutate(file: Buffer, headerBytes: number, seed: number): Mutant {
  const random = randomOf(seed);
  const bytes = Buffer.from(file);
  const done: string[] = [];
  for (let left = 1 + random(4); left > 0; left -= 1) {
    // The first bytes hold the counts, and the entries that everything else depends on.
    const at = random(random(2) === 0 ? 1024 : headerBytes - 8);
    const evil = EVIL[random(EVIL.length)] ?? 0n;
    const kind = random(4);
    if (kind === 0) bytes.writeUInt8(random(256), at);
    else if (kind === 1) bytes.writeUInt32LE(Number(BigInt.asUintN(32, evil)), at);
    else if (kind === 2) bytes.writeBigUInt64LE(BigInt.asUintN(64, evil), at);
    else bytes.copy(bytes, at, random(headerBytes - 64), random(headerBytes));
    // Files without the magic number never come as far as to an engine.
    bytes.write("GGUF", 0);
    done.push(`${["byte", "u32", "u64", "copy"][kind]} at ${at}`);
  }
  if (random(5) > 0) return { bytes, what: done.join(", ") };
  const length = 4 + random(headerBytes * 2);
  return { bytes: bytes.subarray(0, length), what: `${done.join(", ")}, cut at ${length}` };
}

/** Gives whole numbers below a limit, the same for the same seed. */
export function randomOf(seed: number): (below: number) => number {
  const next = mulberry32(seed * 0x9e3779b1);
  return (below) => next() % below;
}
