import type { PrefixMatch } from "./selection.ts";

/** Entries of one bucket: where a hash may be. */
const WAYS = 8;
/** Endpoints that an entry remembers. */
const HOLDERS = 4;

/** Bounds of a prefix index. */
export interface PrefixOptions {
  /** Chunks that are remembered, rounded up to a power of two; default 65,536 in about 4 MiB. */
  entriesMax?: number;
  /** Engines have other things in their caches by then; default 30 min. */
  ageMsMax?: number;
}

/**
 * Remembers which endpoints were lately sent which beginnings of prompts, by the fingerprints of
 * the prompts (which differ from model to model).
 *
 * It is built like a processor's cache: a hash belongs into one bucket of eight entries, and a new
 * one replaces the least recently used of them. So its memory never grows, nothing is ever tidied
 * up, and a look-up costs the same whether it is empty or full.
 */
export class PrefixIndex<Endpoint> {
  readonly #buckets: number;
  readonly #ageMsMax: number;
  /** Per entry: the hash; 0 when it is free. */
  readonly #hashes: Float64Array;
  /** Per entry: number of the record that used it last. */
  readonly #usedAt: Float64Array;
  /** Per entry, four each: endpoint numbers, the latest first; 0 for none. */
  readonly #holders: Int32Array;
  /** Likewise: when. */
  readonly #heldAtMs: Float64Array;
  readonly #numbers = new Map<Endpoint, number>();
  readonly #endpoints = new Map<number, Endpoint>();
  #lastNumber = 0;
  #records = 0;

  constructor({ entriesMax = 65_536, ageMsMax = 30 * 60_000 }: PrefixOptions = {}) {
    const entries = 2 ** Math.ceil(Math.log2(Math.max(WAYS, entriesMax)));
    this.#buckets = entries / WAYS;
    this.#ageMsMax = ageMsMax;
    this.#hashes = new Float64Array(entries);
    this.#usedAt = new Float64Array(entries);
    this.#holders = new Int32Array(entries * HOLDERS);
    this.#heldAtMs = new Float64Array(entries * HOLDERS);
  }

  /** Endpoints that know a beginning of the prompt, at most four; the longest beginning first. */
  match(fingerprint: Float64Array, nowMs: number): PrefixMatch<Endpoint>[] {
    const matches: PrefixMatch<Endpoint>[] = [];
    const oldestMs = nowMs - this.#ageMsMax;
    for (let chunk = fingerprint.length - 1; chunk >= 0; chunk -= 1) {
      const entry = this.#find(fingerprint[chunk] ?? 0);
      if (entry === -1) continue;
      for (let i = entry * HOLDERS; i < (entry + 1) * HOLDERS; i += 1) {
        if ((this.#heldAtMs[i] ?? 0) < oldestMs) continue;
        const endpoint = this.#endpoints.get(this.#holders[i] ?? 0);
        if (endpoint === undefined || matches.some((one) => one.endpoint === endpoint)) continue;
        matches.push({ endpoint, depth: chunk + 1 });
        if (matches.length === HOLDERS) return matches;
      }
    }
    return matches;
  }

  /** Takes note that a prompt goes to an endpoint. */
  record(fingerprint: Float64Array, endpoint: Endpoint, nowMs: number): void {
    if (fingerprint.length === 0) return;
    const number = this.#numberOf(endpoint);
    // Backwards: what is replaced first are the ends of prompts, not their beginnings.
    for (let chunk = fingerprint.length - 1; chunk >= 0; chunk -= 1) {
      const hash = fingerprint[chunk] ?? 0;
      let entry = this.#find(hash);
      if (entry === -1) entry = this.#replace(hash);
      this.#records += 1;
      this.#usedAt[entry] = this.#records;
      this.#hold(entry * HOLDERS, number, nowMs);
    }
  }

  /** Forgets an endpoint: it is gone, or was restarted with an empty cache. */
  forget(endpoint: Endpoint): void {
    const number = this.#numbers.get(endpoint);
    if (number === undefined) return;
    this.#numbers.delete(endpoint);
    this.#endpoints.delete(number);
  }

  /** Memory that the index takes, now and ever. */
  get sizeBytes(): number {
    const arrays = [this.#hashes, this.#usedAt, this.#holders, this.#heldAtMs];
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #find(hash: number): number {
    const start = (hash % this.#buckets) * WAYS;
    for (let entry = start; entry < start + WAYS; entry += 1) {
      if (this.#hashes[entry] === hash) return entry;
    }
    return -1;
  }

  #replace(hash: number): number {
    const start = (hash % this.#buckets) * WAYS;
    let oldest = start;
    for (let entry = start + 1; entry < start + WAYS; entry += 1) {
      if ((this.#usedAt[entry] ?? 0) < (this.#usedAt[oldest] ?? 0)) oldest = entry;
    }
    this.#hashes[oldest] = hash;
    this.#holders.fill(0, oldest * HOLDERS, (oldest + 1) * HOLDERS);
    return oldest;
  }

  /** Puts an endpoint first; if it was not there, the one that came longest ago drops out. */
  #hold(first: number, number: number, nowMs: number): void {
    const last = first + HOLDERS - 1;
    let place = first;
    while (place < last && this.#holders[place] !== number) place += 1;
    for (; place > first; place -= 1) {
      this.#holders[place] = this.#holders[place - 1] ?? 0;
      this.#heldAtMs[place] = this.#heldAtMs[place - 1] ?? 0;
    }
    this.#holders[first] = number;
    this.#heldAtMs[first] = nowMs;
  }

  /** Numbers are never used again: entries of endpoints that were forgotten mean nobody. */
  #numberOf(endpoint: Endpoint): number {
    const known = this.#numbers.get(endpoint);
    if (known !== undefined) return known;
    this.#lastNumber += 1;
    this.#numbers.set(endpoint, this.#lastNumber);
    this.#endpoints.set(this.#lastNumber, endpoint);
    return this.#lastNumber;
  }
}
