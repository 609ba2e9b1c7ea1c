import { credentialOf } from "./credential.ts";

/** Who sends a request. */
export interface Principal {
  /** Tells principals apart while the process runs; never to be stored or shown. */
  readonly id: string;
  /** What history and statistics call its key; undefined for a request without one. */
  readonly keyName: string | undefined;
  /** IP address of its connection; undefined once that is gone. */
  readonly address: string | undefined;
}

/** Keys with a name of their own: statistics are kept for ever, and keys can be made up. */
const NAMES_MAX = 1000;

/**
 * Says whose request it is: that of a key, known by a hash that is different after each start, or
 * of an address where no key is sent. Keys themselves are not kept.
 */
export class Principals {
  readonly #namesMax: number;
  readonly #seed = new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0] ?? 0n;
  readonly #names = new Map<string, string>();

  constructor(namesMax: number = NAMES_MAX) {
    this.#namesMax = namesMax;
  }

  /** The principal of a request with these headers that came from `address`. */
  of(headers: Headers, address: string | undefined): Principal {
    const key = credentialOf(headers);
    if (key === undefined) return { id: address ?? "", keyName: undefined, address };
    const id = Bun.hash.wyhash(key, this.#seed).toString(36);
    return { id, keyName: this.#nameOf(key, id), address };
  }

  /**
   * The name of a key: `key_` and 12 hexadecimal digits of its SHA-256, or `key_other` from the
   * thousandth key on.
   */
  #nameOf(key: string, id: string): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    if (this.#names.size >= this.#namesMax) return "key_other";
    const digest = new Bun.CryptoHasher("sha256").update(key.trim()).digest("hex");
    const name = `key_${digest.slice(0, 12)}`;
    this.#names.set(id, name);
    return name;
  }
}
