import { BlockList, isIP } from "node:net";

/**
 * The reverse proxies in front of this server, whose word on their clients counts. Anybody can send
 * `X-Forwarded-For`: from others it is not read.
 */
export class TrustedProxies {
  readonly #networks = new BlockList();

  /** Addresses and networks, as `networkList` reads them. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = "", bits] = network.split("/");
      const family = isIP(address) === 4 ? "ipv4" : "ipv6";
      const length = bits === undefined ? (family === "ipv4" ? 32 : 128) : Number(bits);
      this.#networks.addSubnet(address, length, family);
    }
  }

  /** Whether an address is one of theirs. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#networks.check(plain, version === 4 ? "ipv4" : "ipv6");
  }

  /**
   * The client behind a proxy: of the addresses in `X-Forwarded-For`, to whose end each proxy adds
   * the one that it saw, the last that is no trusted proxy's own. Undefined if it has none; what is
   * before something that is no address counts for nothing.
   */
  clientIn(forwardedFor: string | null): string | undefined {
    let client: string | undefined;
    for (const hop of (forwardedFor ?? "").split(",").reverse()) {
      const address = addressIn(hop.trim());
      if (address === undefined) return client;
      client = address;
      if (!this.has(address)) return client;
    }
    return client;
  }
}

/** The address of an entry, which may have a port: `10.0.0.1:80`, `[::1]:80`, `::1`. */
function addressIn(entry: string): string | undefined {
  const [, bracketed, dotted] = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(entry) ?? [];
  const address = bracketed ?? dotted ?? entry;
  return isIP(address) === 0 ? undefined : plainAddress(address);
}

/** Version 4 in version 6 is version 4, as sockets that take both write it. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}
