/** Who sent a request, as far as its headers tell. */
export interface ClientNames {
  /** A name for the bearer token or API key of a request; undefined without one. */
  of(headers: Headers): string | undefined;
}

/** Tokens that have a name of their own; statistics are kept forever, and tokens can be made up. */
const NAMES_MAX = 1000;

/**
 * Names clients by their token: `key_` and 12 hexadecimal digits of its SHA-256, or `key_other`
 * from the thousandth on. The token itself is not kept.
 */
export function clientNames(namesMax: number = NAMES_MAX): ClientNames {
  // By a fast hash that nobody can aim at: the tokens themselves are not kept.
  const seed = BigInt(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
  const names = new Map<bigint, string>();
  return {
    of(headers) {
      const token = headers.get("authorization") ?? headers.get("x-api-key");
      if (token === null) return undefined;
      const hash = Bun.hash.wyhash(token, seed);
      const known = names.get(hash);
      if (known !== undefined) return known;
      if (names.size >= namesMax) return "key_other";
      const bare = token.replace(/^bearer\s+/i, "").trim();
      const digest = new Bun.CryptoHasher("sha256").update(bare).digest("hex");
      const name = `key_${digest.slice(0, 12)}`;
      names.set(hash, name);
      return name;
    },
  };
}
