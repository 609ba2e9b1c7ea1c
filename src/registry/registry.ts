import type { State } from "../db/database.ts";
import type { DeviceInfo } from "../db/state/endpoint.ts";
import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import type { Logger } from "../lib/log.ts";
import { Mutex } from "../lib/mutex.ts";
import { directoryOf } from "../model/name.ts";
import { ApiError } from "../wire/error.ts";
import type { Manifest, Peer } from "../wire/manifest.ts";
import type {
  ModelChangeBody,
  RegisterBody,
  RegisteredDetail,
  RegisteredModel,
  Registration,
} from "../wire/registry.ts";
import { isAssigned } from "./assignment.ts";
import { duplicate, freeAliases, idOf, requireNew } from "./conflict.ts";
import type { HubClient } from "./hub.ts";
import { fromImported } from "./imported.ts";
import { type Found, findModel } from "./lookup.ts";
import { NameIndex, type Resolved } from "./names.ts";
import { checkFilename, parseReference, type Reference } from "./reference.ts";
import { detailView, manifestOf, modelView } from "./view.ts";

export interface RegistryOptions {
  state: Pick<State, "registered" | "importedModels">;
  hub: HubClient;
  /** Patterns that manifests name. */
  allowlist: readonly string[];
  /** Devices of the registered endpoints, as far as they told. */
  devices(): DeviceInfo[];
  /** Whether an online endpoint lists the model by one of these names. */
  isReady(names: readonly string[]): boolean;
  /** Nodes that hold verified files of a model. Default: none. */
  peers?(id: string): Peer[];
  log: Logger;
}

/** What happened to a registered model. */
export interface RegistryChange {
  kind: "registered" | "changed" | "removed";
  id: string;
}

/** More are refused: all are kept in memory, and every change goes through all their names. */
const MODELS_MAX = 2000;
/** How long what an earlier program registered waits for the hub, when that is out. */
const RETRY_MS = 60_000;

/** The models that clients may ask for, whether a node has them or not. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #rows = new Map<string, RegisteredRow>();
  readonly #listeners = new Set<(change: RegistryChange) => void>();
  /** Changes come one after the other, so that names stay unique. */
  readonly #changing = new Mutex();
  readonly #closing = new AbortController();
  #index = new NameIndex([]);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Reads what is registered; takes over what an earlier program had. */
  async load(): Promise<void> {
    const { state } = this.#options;
    for (const row of await state.registered.list()) this.#rows.set(row.id, row);
    this.#reindex();
    // Once for all of them: an index over many models takes its time.
    if (await this.#takeOver()) this.#reindex();
  }

  /** Begins to ask the hub about models that were taken over. */
  start(): void {
    void this.#completeAll();
  }

  close(): void {
    this.#closing.abort(new Error("The registry is closed."));
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  /** Calls `listener` after every change; the returned function ends that. */
  onChange(listener: (change: RegistryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The model that a name means, and all names by which endpoints may list it. */
  resolve(name: string): Resolved | undefined {
    return this.#index.resolve(name);
  }

  /** Everything that can be meant, with the names for it: models, then their quantizations. */
  meanings(): Resolved[] {
    return this.#index.all();
  }

  /** All of them, in the order of their ids. */
  list(): RegisteredModel[] {
    return this.rows().map((row) => modelView(row, this.#isReady(row)));
  }

  /** One of them by its id. */
  get(id: string): RegisteredModel | undefined {
    const row = this.#rows.get(id);
    return row === undefined ? undefined : modelView(row, this.#isReady(row));
  }

  /** As stored, in the order of their ids. */
  rows(): RegisteredRow[] {
    return [...this.#rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Another text whenever something changed. */
  get revision(): string {
    const rows = this.rows().map(({ id, revision, updatedAt }) => `${id} ${revision} ${updatedAt}`);
    return Bun.hash(rows.join("\n")).toString(36);
  }

  /** The models that a node shall have, if it can hold them. */
  assignedTo(node: string, known: readonly string[]): RegisteredRow[] {
    return this.rows().filter((row) => isAssigned(row, node, known));
  }

  /** Throws 404. */
  detail(name: string): RegisteredDetail {
    const row = this.#found(name);
    return detailView(row, { ready: this.#isReady(row), names: this.#namesOf(row) });
  }

  isReady(id: string): boolean {
    const row = this.#rows.get(id);
    return row !== undefined && this.#isReady(row);
  }

  /** Registers what the hub has; nothing is downloaded. Throws 400, 403, 404, 409, 502. */
  async register(body: RegisterBody, signal: AbortSignal): Promise<Registration> {
    const { hub, devices } = this.#options;
    const reference = referenceOf(body, hub.url);
    const { repo, revision = "main", filename, quantization } = reference;
    // What is surely a duplicate needs no question to the hub.
    if (quantization === undefined) this.#refuseKnown(repo, filename ?? null);
    const asked = { repo, revision, filename, quantization, devices: devices(), hub, signal };
    const found = await findModel(asked);
    return await this.#changing.run(() => this.#add(found, body));
  }

  /** Changes names and placement. Throws 404 and 409. */
  async change(name: string, body: ModelChangeBody): Promise<RegisteredDetail> {
    const { id } = this.#found(name);
    await this.#changing.run(async () => {
      const { aliases, display_name: displayName, chat_template: ownTemplate } = body;
      const { replicas, nodes } = body;
      const change = {
        ...(displayName === undefined ? {} : { displayName }),
        ...(ownTemplate === undefined ? {} : { ownTemplate }),
        ...(replicas === undefined ? {} : { replicas }),
        ...(nodes === undefined ? {} : { nodes }),
        ...(aliases === undefined ? {} : { aliases: freeAliases(id, aliases ?? [], this.#index) }),
      };
      await this.#apply(id, change);
    });
    return this.detail(id);
  }

  /** Forgets a model; nodes delete it at their next sync. Throws 404. */
  async remove(name: string): Promise<void> {
    const { id } = this.#found(name);
    await this.#changing.run(async () => {
      if (!(await this.#options.state.registered.remove(id))) throw notRegistered(name);
      this.#rows.delete(id);
      this.#reindex();
    });
    this.#tell({ kind: "removed", id });
  }

  /** Which files a model needs. Throws 404, and what `register` throws for one taken over. */
  async manifest(name: string, signal: AbortSignal): Promise<Manifest> {
    const { hub, allowlist, peers = () => [] } = this.#options;
    const known = this.#found(name);
    const row = known.content === null ? await this.#complete(known, signal) : known;
    const { content, revision } = row;
    if (content === null || revision === null) throw notRegistered(name);
    const parts = { row, content, revision, hubUrl: hub.url, allowlist };
    return manifestOf({ ...parts, peers: peers(row.id) });
  }

  /** Registers what an earlier program had; whether there was anything. */
  async #takeOver(): Promise<boolean> {
    const { state, hub, log } = this.#options;
    const named = new Set<string>();
    let some = false;
    for (const imported of await state.importedModels()) {
      const row = fromImported(imported, hub.url, Date.now());
      const reason = row === undefined ? "it is in no repository" : this.#whyNot(row);
      if (row === undefined || reason !== undefined) {
        log.warn({ model: imported.name, repo: imported.repo, reason }, "registry.import_skipped");
        continue;
      }
      row.aliases = row.aliases.filter((alias) => {
        const isFree = this.#index.resolve(alias) === undefined && !named.has(alias.toLowerCase());
        return isFree && named.add(alias.toLowerCase());
      });
      if (!(await state.registered.add(row))) continue;
      this.#rows.set(row.id, row);
      some = true;
      log.info({ model: row.id }, "registry.imported");
    }
    return some;
  }

  #whyNot({ id }: RegisteredRow): string | undefined {
    if (this.#rows.size >= MODELS_MAX) return `there are ${MODELS_MAX} models already`;
    try {
      requireNew(id, this.#rows.values());
      return undefined;
    } catch (cause) {
      if (cause instanceof ApiError) return cause.message;
      throw cause;
    }
  }

  async #add(found: Found, body: RegisterBody): Promise<Registration> {
    const { repo, revision, filename, content, stale } = found;
    const id = idOf(repo, filename);
    requireNew(id, this.#rows.values());
    if (this.#rows.size >= MODELS_MAX) {
      const message = `Registering ${id} failed: ${MODELS_MAX} models are registered already.`;
      throw new ApiError("conflict", message, { code: "too_many_models" });
    }
    const now = Date.now();
    const row: RegisteredRow = {
      ...{ id, repo, filename, revision, content, registeredAt: now, updatedAt: now },
      displayName: body.display_name ?? null,
      ...{ chatTemplate: found.chatTemplate, ownTemplate: body.chat_template ?? null },
      ...{ replicas: body.replicas ?? null, nodes: body.nodes ?? null },
      aliases: freeAliases(id, body.aliases ?? [], this.#index),
    };
    if (!(await this.#options.state.registered.add(row))) throw duplicate(id);
    this.#rows.set(id, row);
    this.#reindex();
    this.#tell({ kind: "registered", id });
    const detail = this.detail(id);
    return { ...detail, status: "registered", filename: filename ?? content.primary, stale };
  }

  /** Asks the hub about a model that was taken over, and keeps what it tells. */
  async #complete(row: RegisteredRow, signal: AbortSignal): Promise<RegisteredRow> {
    const { hub, devices } = this.#options;
    const { id, repo } = row;
    const filename = row.filename ?? undefined;
    const asked = { hub, repo, revision: "main", filename, devices: devices(), signal };
    const { chatTemplate: template, ...found } = await findModel(asked);
    const { revision, content } = found;
    await this.#changing.run(async () => {
      const chatTemplate = template ?? row.chatTemplate;
      // The hub's spelling may be another one than that of the earlier program.
      await this.#apply(id, { repo: found.repo, revision, content, chatTemplate });
    });
    return this.#found(id);
  }

  async #completeAll(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#closing;
    for (const row of this.rows().filter(({ content }) => content === null)) {
      if (signal.aborted) return;
      try {
        await this.#complete(row, signal);
      } catch (cause) {
        if (signal.aborted) return;
        const reason = cause instanceof Error ? cause.message : String(cause);
        log.warn({ model: row.id, reason }, "registry.incomplete");
        if (!(cause instanceof ApiError) || cause.kind !== "upstream") continue;
        // The hub is out, for the others, too.
        this.#timer = setTimeout(() => void this.#completeAll(), RETRY_MS);
        this.#timer.unref();
        return;
      }
    }
  }

  async #apply(id: string, change: Partial<RegisteredRow>): Promise<void> {
    const row = this.#rows.get(id);
    if (row === undefined) throw notRegistered(id);
    // Two changes within a millisecond are two revisions, too.
    const updatedAt = Math.max(Date.now(), row.updatedAt + 1);
    if (!(await this.#options.state.registered.change(id, change, updatedAt))) {
      const message = `Changing ${id} failed: one of its aliases is taken. Choose another.`;
      throw new ApiError("conflict", message, { code: "alias_taken", param: "aliases" });
    }
    this.#rows.set(id, { ...row, ...change, updatedAt });
    this.#reindex();
    this.#tell({ kind: "changed", id });
  }

  #refuseKnown(repo: string, filename: string | null): void {
    const id = idOf(repo, filename);
    directoryOf(id);
    const key = id.toLowerCase();
    for (const known of this.#rows.keys()) if (known.toLowerCase() === key) throw duplicate(known);
  }

  #found(name: string): RegisteredRow {
    const row = this.#rows.get(name) ?? this.#rows.get(this.#index.resolve(name)?.id ?? "");
    if (row === undefined) throw notRegistered(name);
    return row;
  }

  #namesOf({ id }: RegisteredRow): readonly string[] {
    return this.#index.resolve(id)?.names ?? [id];
  }

  /** A node may serve one of a model's quantizations under that name. */
  #isReady(row: RegisteredRow): boolean {
    const quantizations = new Set(row.content?.variants.flatMap((one) => one.quantization ?? []));
    const variants = [...quantizations].map((quantization) => `${row.id}:${quantization}`);
    return this.#options.isReady([...this.#namesOf(row), ...variants]);
  }

  #reindex(): void {
    this.#index = new NameIndex([...this.#rows.values()]);
  }

  #tell(change: RegistryChange): void {
    this.#options.log.info({ model: change.id }, `registry.${change.kind}`);
    for (const listener of this.#listeners) listener(change);
  }
}

/** What a request means, its `filename` included. Throws 400. */
function referenceOf({ repo, filename }: RegisterBody, hubUrl: string): Reference {
  const reference = parseReference(repo, hubUrl);
  if (filename === undefined || filename === null) return reference;
  const checked = checkFilename(filename);
  const other = reference.filename ?? checked;
  if (other === checked && reference.quantization === undefined) {
    return { ...reference, filename: checked };
  }
  const named = reference.quantization ?? other;
  const message = `The request is invalid: \`repo\` names ${named}, and \`filename\` ${checked}. \
Send one of them.`;
  throw new ApiError("invalid_request", message, { param: "filename" });
}

function notRegistered(name: string): ApiError {
  const message = `Model not found: ${name}. See GET /api/models for what is registered.`;
  return new ApiError("not_found", message, { code: "model_not_found", param: "model" });
}
