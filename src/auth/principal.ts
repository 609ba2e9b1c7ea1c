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

export interface PrincipalsOptions {
  /** Whether a key was checked and found to be somebody's. Default: none is, there are no keys. */
  isKnown?: (key: string) => boolean;
}

/**
 * Finds the principal of each request: its key if that is known, else its address, because anybody
 * can send another key with each request. Of an address of version 6 its network of 64 bits counts:
 * the rest is its owner's to choose. A key's id is a hash with a seed that is different after each
 * start; the key itself is not kept.
 */
export class Principals {
  readonly #isKnown: (key: string) => boolean;
  readonly #seed = new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0] ?? 0n;
  readonly #names = new Map<string, string>();

  constructor({ isKnown = () => false }: PrincipalsOptions = {}) {
    this.#isKnown = isKnown;
  }

  /** The principal of a request with these headers that came from `address`. */
  of(headers: Headers, address: string | undefined): Principal {
    const key = credentialOf(headers);
    if (key === undefined) return { id: placeOf(address), keyName: undefined, address };
    const hash = Bun.hash.wyhash(key, this.#seed).toString(36);
    const id = this.#isKnown(key) ? hash : placeOf(address);
    return { id, keyName: this.#nameOf(key, hash), address };
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

/** One of those who share an address, or a network of version 6; "" for an unknown address. */
function placeOf(address: string | undefined): string {
  if (address?.includes(":") !== true) return address ?? "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [left = "", right = ""] = address.replace(/%.*$/, "").split("::");
  const [head = [], tail = []] = [left, right].map((part) => part.split(":").filter(Boolean));
  const zeroes = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0");
  return `${[...head, ...zeroes, ...tail].slice(0, 4).join(":")}::/64`;
}
