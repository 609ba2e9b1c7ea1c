import type { State } from "../db/database.ts";
import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import type { Logger } from "../lib/log.ts";
import { Mutex } from "../lib/mutex.ts";
import { ApiError } from "../wire/error.ts";
import { duplicate, freeAliases, requireNew } from "./conflict.ts";
import { withOwnTags } from "./ggufvariant.ts";
import { NameIndex, type NameMeaning } from "./nameindex.ts";

/** What happened to a registered model. */
export interface RegistryChange {
  kind: "registered" | "changed" | "removed";
  id: string;
}

/** A model of an earlier program that was added, or why it was not. */
export interface ImportResult {
  row: RegisteredRow;
  /** Undefined: it was added. */
  reason: string | undefined;
}

/** More are refused: all are kept in memory, and every change indexes all their names anew. */
const MODELS_MAX = 2000;

/** The registered models as they are stored, in memory, with an index of the names they have. */
export class RegistrationStore {
  readonly #table: State["registered"];
  readonly #log: Logger;
  readonly #rows = new Map<string, RegisteredRow>();
  readonly #listeners = new Set<(change: RegistryChange) => void>();
  /** One change after the other, so that names stay unique. */
  readonly #changing = new Mutex();
  #index = new NameIndex([]);
  /** Undefined: not asked for since the last change. */
  #revision: string | undefined;

  constructor(table: State["registered"], log: Logger) {
    this.#table = table;
    this.#log = log;
  }

  async load(): Promise<void> {
    for (const row of await this.#table.list()) {
      const content = row.content && withOwnTags(row.content);
      this.#rows.set(row.id, { ...row, content });
    }
    this.#reindex();
  }

  close(): void {
    this.#listeners.clear();
  }

  /** Calls `listener` after every change; the returned function ends that. */
  onChange(listener: (change: RegistryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** In the order of their ids. */
  list(): RegisteredRow[] {
    return [...this.#rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get(id: string): RegisteredRow | undefined {
    return this.#rows.get(id);
  }

  /** The model with an id, or with any of its names. Throws 404. */
  find(name: string): RegisteredRow {
    const row = this.#rows.get(name) ?? this.#rows.get(this.resolve(name)?.id ?? "");
    if (row === undefined) throw notRegistered(name);
    return row;
  }

  /** The model that a name means, and all names by which endpoints may list it. */
  resolve(name: string): NameMeaning | undefined {
    return this.#index.resolve(name);
  }

  /** Everything that a name can mean: models, then their quantizations. */
  meanings(): NameMeaning[] {
    return this.#index.all();
  }

  /** A text that is another one after every change. */
  get revision(): string {
    this.#revision ??= revisionOf(this.list());
    return this.#revision;
  }

  /** Adds a model. Throws 409 for too many, or if its id, folder or an alias is another's. */
  add(row: RegisteredRow): Promise<RegisteredRow> {
    return this.#changing.run(async () => {
      const { id } = row;
      requireNew(id, this.#rows.values());
      if (this.#rows.size >= MODELS_MAX) {
        const message = `Registering ${id} failed: ${MODELS_MAX} models are registered already.`;
        throw new ApiError("conflict", message, { code: "too_many_models" });
      }
      const added = { ...row, aliases: freeAliases(id, row.aliases, this.#index) };
      if (!(await this.#table.add(added))) throw duplicate(id);
      this.#rows.set(id, added);
      this.#reindex();
      this.#tell({ kind: "registered", id });
      return added;
    });
  }

  /** Changes a model. Throws 404, and 409 if an alias is another's. */
  change(id: string, { aliases, ...rest }: Partial<RegisteredRow>): Promise<void> {
    return this.#changing.run(async () => {
      const row = this.#rows.get(id);
      if (row === undefined) throw notRegistered(id);
      const free = aliases && { aliases: freeAliases(id, aliases, this.#index) };
      const change = { ...rest, ...free };
      // Two changes within a millisecond are two revisions, too.
      const updatedAt = Math.max(Date.now(), row.updatedAt + 1);
      if (!(await this.#table.change(id, change, updatedAt))) {
        const message = `Changing ${id} failed: one of its aliases is taken. Choose another.`;
        throw new ApiError("conflict", message, { code: "alias_taken", param: "aliases" });
      }
      this.#rows.set(id, { ...row, ...change, updatedAt });
      this.#reindex();
      this.#tell({ kind: "changed", id });
    });
  }

  /** Removes a model. Throws 404. */
  async remove(name: string): Promise<void> {
    const { id } = this.find(name);
    await this.#changing.run(async () => {
      if (!(await this.#table.remove(id))) throw notRegistered(name);
      this.#rows.delete(id);
      this.#reindex();
    });
    this.#tell({ kind: "removed", id });
  }

  /** Adds models of an earlier program, without aliases that are another's. */
  async import(rows: readonly RegisteredRow[]): Promise<ImportResult[]> {
    const results: ImportResult[] = [];
    const aliases = new Set<string>();
    for (const row of rows) {
      const reason = this.#refusalOf(row.id);
      if (reason === undefined) {
        row.aliases = row.aliases.filter((alias) => {
          const key = alias.toLowerCase();
          return this.resolve(alias) === undefined && !aliases.has(key) && aliases.add(key);
        });
        if (!(await this.#table.add(row))) continue;
        this.#rows.set(row.id, row);
      }
      results.push({ row, reason });
    }
    // Once for all of them: to index many models takes its time.
    this.#reindex();
    return results;
  }

  /** Why a model cannot be added. */
  #refusalOf(id: string): string | undefined {
    if (this.#rows.size >= MODELS_MAX) return `there are ${MODELS_MAX} models already`;
    try {
      requireNew(id, this.#rows.values());
      return undefined;
    } catch (cause) {
      if (cause instanceof ApiError) return cause.message;
      throw cause;
    }
  }

  #reindex(): void {
    this.#revision = undefined;
    this.#index = new NameIndex([...this.#rows.values()]);
  }

  #tell(change: RegistryChange): void {
    this.#log.info({ model: change.id }, `registry.${change.kind}`);
    for (const listener of this.#listeners) listener(change);
  }
}

function revisionOf(rows: readonly RegisteredRow[]): string {
  const texts = rows.map(({ id, revision, updatedAt }) => `${id} ${revision} ${updatedAt}`);
  return Bun.hash(texts.join("\n")).toString(36);
}

/** The 404 for a model that is not registered. */
export function notRegistered(name: string): ApiError {
  const message = `Model not found: ${name}. See GET /api/models for what is registered.`;
  return new ApiError("not_found", message, { code: "model_not_found", param: "model" });
}
