import { type Address, addressOf, type Route } from "./address.ts";
import { Connection, type ConnectionOwner, type PendingRequest } from "./connection.ts";

/** Common servers close a connection that was idle for 5 s; we stop using it before that. */
const IDLE_MS_MAX = 4000;
const SWEEP_MS = 1000;
/** Idle connections of one server. */
const IDLE_MAX = 512;

/** Open connections to servers, kept for later requests. */
export class Pool {
  readonly #hosts = new Map<string, Host>();
  #sweeper: Timer | undefined;

  /** The server of an origin or a Unix socket. Throws `ClientError` for a bad address. */
  host(origin: string, unix: string | undefined, route: Route = {}): Host {
    const key = keyOf(origin, unix, route);
    let host = this.#hosts.get(key);
    if (host === undefined) {
      host = new Host(addressOf(origin, unix, route));
      this.#hosts.set(key, host);
      this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS);
      this.#sweeper.unref();
    }
    return host;
  }

  /** Closes all idle connections, so that they do not keep the process alive. */
  closeIdle(): void {
    for (const host of this.#hosts.values()) host.sweep(Number.POSITIVE_INFINITY);
  }

  /** Closes connections that were idle too long, and forgets servers without connections. */
  #sweep(): void {
    const now = performance.now();
    for (const [key, host] of this.#hosts) if (host.sweep(now)) this.#hosts.delete(key);
    if (this.#hosts.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

/** One server and the idle connections to it; the most recently used is the last. */
export class Host implements ConnectionOwner {
  readonly address: Address;
  readonly #idle: Connection[] = [];
  /** When each of them was released (`performance.now()`). */
  readonly #since: number[] = [];
  #usedAt = 0;

  constructor(address: Address) {
    this.address = address;
  }

  /** Sends a request on the most recently used idle connection. Undefined: there is none. */
  reuse(request: PendingRequest): Connection | undefined {
    this.#usedAt = performance.now();
    const connection = this.#idle.pop();
    const since = this.#since.pop() ?? 0;
    if (connection === undefined) return undefined;
    if (this.#usedAt - since > IDLE_MS_MAX) {
      // All others are older.
      connection.destroy();
      this.sweep(this.#usedAt);
      return undefined;
    }
    connection.carry(request);
    return connection;
  }

  /** Sends a request on a new connection. */
  connect(request: PendingRequest): Connection {
    const connection = new Connection(this.address, this);
    connection.connect(request);
    return connection;
  }

  released(connection: Connection): void {
    if (this.#idle.length >= IDLE_MAX) return void connection.destroy();
    this.#idle.push(connection);
    this.#since.push(performance.now());
  }

  lost(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.#since.splice(at, 1);
  }

  /** Closes connections that were idle too long. True: the server can be forgotten. */
  sweep(now: number): boolean {
    const old = this.#since.findIndex((since) => now - since <= IDLE_MS_MAX);
    const count = old < 0 ? this.#idle.length : old;
    for (const connection of this.#idle.splice(0, count)) connection.destroy();
    this.#since.splice(0, count);
    return this.#idle.length === 0 && now - this.#usedAt > IDLE_MS_MAX;
  }
}

/** Requests share a connection only if they also take the same route. */
function keyOf(origin: string, unix: string | undefined, route: Route): string {
  if (unix !== undefined) return unix;
  const { ip, proxy, guarded, fingerprint } = route;
  const server = fingerprint === undefined ? origin : `${origin} ${fingerprint}`;
  if (proxy !== undefined) return `${server} via ${proxy.origin}`;
  if (ip !== undefined) return `${server} ${ip}`;
  return guarded === true ? `${server} guarded` : server;
}
