/** Ports below those that connections get by themselves, so that none is taken meanwhile. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

/** Names and addresses in pages, and what stands for them on this machine. */
export interface Addresses {
  /** `host:port` → `127.0.0.1:port` of a stand-in for that server. */
  servers: ReadonlyMap<string, string>;
  /** Names and addresses of the machines that a page is about → the machine's name. */
  machines: ReadonlyMap<string, string>;
  /** Whole texts, e.g. the address of a reverse proxy → one of the page's own addresses. */
  texts: ReadonlyMap<string, string>;
}

/** Translates the addresses of a page to ports of this machine, and back. */
export class PageNetwork {
  readonly #addresses: Addresses;
  /** `machine:port` of the page → the port here. */
  readonly #ports = new Map<string, number>();

  constructor(addresses: Addresses) {
    this.#addresses = addresses;
  }

  /** The port here of a machine's port in the page; always the same. */
  port(machine: string, port: number): number {
    const key = `${machine}:${port}`;
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    const free = freePort(new Set(this.#ports.values()));
    this.#ports.set(key, free);
    return free;
  }

  /** A text of the page as it holds here, on `machine`. */
  toHere(text: string, machine: string): string {
    let local = text;
    for (const [from, to] of this.#addresses.texts) local = local.replaceAll(from, to);
    local = local.replace(/([\w.-]+):(\d{4,5})\b/g, (whole, host: string, port: string) => {
      const server = this.#addresses.servers.get(whole);
      if (server !== undefined) return server;
      const isOwn = host === "127.0.0.1" || host === "localhost";
      const name = isOwn ? machine : this.#addresses.machines.get(host);
      return name === undefined ? whole : `127.0.0.1:${this.port(name, Number(port))}`;
    });
    return local.replace(
      /(--(?:node-)?port[ =]|-p )(\d{4,5})\b/g,
      (_, flag: string, port: string) => `${flag}${this.port(machine, Number(port))}`,
    );
  }

  /** What was printed on `machine`, as the page would have it. */
  toPage(text: string, machine: string): string {
    let shown = text;
    for (const [from, to] of this.#addresses.servers) shown = shown.replaceAll(to, from);
    for (const [key, port] of this.#ports) {
      const [name = "", pagePort = ""] = key.split(":");
      const hosts = [...this.#addresses.machines].filter(([, one]) => one === name);
      const host = name === machine ? "127.0.0.1" : (hosts[0]?.[0] ?? "127.0.0.1");
      shown = shown.replace(
        new RegExp(`(?:127\\.0\\.0\\.1|localhost):${port}\\b`, "g"),
        `${host}:${pagePort}`,
      );
    }
    return shown;
  }
}

function freePort(taken: Set<number>): number {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (!taken.has(port) && isFree(port)) return port;
  }
}

function isFree(port: number): boolean {
  try {
    const options = { hostname: "127.0.0.1", port, socket: { data: () => undefined } };
    Bun.listen(options).stop(true);
    return true;
  } catch {
    return false; // somebody has it
  }
}
