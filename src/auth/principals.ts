import type { Principal } from "../http/server/principal.ts";
import { PERMISSIONS, type Permission } from "../wire/permission.ts";
import { placeOf } from "./place.ts";

/** What a credential that was checked stands for. */
export type KnownPrincipal = Pick<Principal, "kind" | "keyId" | "key" | "user" | "permissions"> & {
  /** Tells it apart from all others, over starts as well. */
  readonly id: string;
};

/** Keys with a name of their own. Statistics are kept for ever, and clients can invent keys. */
const NAMES_MAX = 1000;

const ALL: ReadonlySet<Permission> = new Set(PERMISSIONS);
const NONE: ReadonlySet<Permission> = new Set();

export interface PrincipalsOptions {
  /** Whom a credential belongs to. Default: nobody, there are no keys. */
  find?: (credential: string) => KnownPrincipal | undefined;
  /** What those may do who do not show who they are. Default: everything. */
  anonymous?: "everything" | "nothing";
}

/**
 * Makes the principal of each request: by its credential if that is known, else by its address,
 * because anybody can send another key with each request. Of an address of version 6 its network of
 * 64 bits counts: the rest is its owner's to choose.
 */
export class Principals {
  readonly #find: (credential: string) => KnownPrincipal | undefined;
  readonly #anonymous: ReadonlySet<Permission>;
  readonly #seed = new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0] ?? 0n;
  readonly #names = new Map<string, string>();

  constructor({ find = () => undefined, anonymous = "everything" }: PrincipalsOptions = {}) {
    this.#find = find;
    this.#anonymous = anonymous === "everything" ? ALL : NONE;
  }

  /** The principal of a request with this credential that came from `address`. */
  of(credential: string | undefined, address: string | undefined): Principal {
    if (credential === undefined) return this.#anonymousAt(address, undefined);
    const known = this.#find(credential);
    if (known !== undefined) return { ...known, address };
    return this.#anonymousAt(address, this.#nameOf(credential));
  }

  #anonymousAt(address: string | undefined, keyId: string | undefined): Principal {
    return {
      id: placeOf(address),
      kind: "anonymous",
      keyId,
      key: undefined,
      user: undefined,
      address,
      permissions: this.#anonymous,
    };
  }

  /**
   * The name of a key that nobody checked: `key_` and the first 12 hexadecimal digits of its
   * SHA-256. After a thousand keys, all further ones are `key_other`. The key itself is not kept.
   */
  #nameOf(key: string): string {
    const hash = Bun.hash.wyhash(key, this.#seed).toString(36);
    const named = this.#names.get(hash);
    if (named !== undefined) return named;
    if (this.#names.size >= NAMES_MAX) return "key_other";
    const digest = new Bun.CryptoHasher("sha256").update(key.trim()).digest("hex");
    const name = `key_${digest.slice(0, 12)}`;
    this.#names.set(hash, name);
    return name;
  }
}
