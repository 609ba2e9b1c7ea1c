import { credentialOf } from "./credential.ts";

/** Who sends a request: a key, or an address. */
export interface Principal {
  /** Tells principals apart while the process runs; never to be stored or shown. */
  readonly id: string;
  /** What history and statistics call its key; undefined for a request without one. */
  readonly keyName: string | undefined;
  /** IP address of its connection; undefined once that is gone. */
  readonly address: string | undefined;
}

/** Keys with a name of their own. Statistics are kept for ever, and clients can invent keys. */
const NAMES_MAX = 1000;

/**
 * Finds the principal of each request: its key, or its address if it has no key. A key is known by
 * a hash with a seed that is different after each start; the key itself is not kept.
 */
export class Principals {
  readonly #seed = new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0] ?? 0n;
  readonly #names = new Map<string, string>();

  /** The principal of a request with these headers that came from `address`. */
  of(headers: Headers, address: string | undefined): Principal {
    const key = credentialOf(headers);
    if (key === undefined) return { id: address ?? "", keyName: undefined, address };
    const id = Bun.hash.wyhash(key, this.#seed).toString(36);
    return { id, keyName: this.#nameOf(key, id), address };
  }

  /**
   * The name of a key: `key_` and the first 12 hexadecimal digits of its SHA-256. After a thousand
   * keys, all further ones are `key_other`.
   */
  #nameOf(key: string, id: string): string {
    const named = this.#names.get(id);
    if (named !== undefined) return named;
    if (this.#names.size >= NAMES_MAX) return "key_other";
    const digest = new Bun.CryptoHasher("sha256").update(key.trim()).digest("hex");
    const name = `key_${digest.slice(0, 12)}`;
    this.#names.set(id, name);
    return name;
  }
}
