import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Mutex } from "../../lib/mutex.ts";
import type { Thread } from "./thread.ts";

/** Kysely over one database thread. A transaction holds `lock`: nothing else runs meanwhile. */
export function threadDialect(thread: Thread, lock: Mutex): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new ThreadDriver(thread, lock),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class ThreadDriver implements Driver {
  readonly #lock: Mutex;
  readonly #connection: ThreadConnection;
  /** Unlocks for the query or transaction that has the connection now. */
  #release: (() => void) | undefined;

  constructor(thread: Thread, lock: Mutex) {
    this.#lock = lock;
    this.#connection = new ThreadConnection(thread);
  }

  async init(): Promise<void> {
    // The thread opens its database with the first statement.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#release = await this.#lock.acquire();
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release?.();
  }

  /** Takes the write lock at once: a transaction cannot fail half-way for another's lock. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await connection.executeQuery(CompiledQuery.raw("rollback"));
    } catch (error) {
      // SQLite itself rolls back when the disk is full; the first error is the one to report.
      if (!String(error).includes("no transaction is active")) throw error;
    }
  }

  async destroy(): Promise<void> {
    // Whoever made the thread closes it.
  }
}

class ThreadConnection implements DatabaseConnection {
  readonly #thread: Thread;

  constructor(thread: Thread) {
    this.#thread = thread;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.#thread.perform({
      kind: "query",
      sql,
      params: parameters,
    });
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Streaming a query is not supported: read it in pages.");
  }
}
