import type { Logger } from "../../lib/log.ts";
import type { ModelRecord } from "../../storage/modelrecord.ts";
import type { ModelStore, UnusableFolder } from "../../storage/modelstore.ts";
import type { ModelSources } from "../../storage/sources/modelsources.ts";
import type { Catalog } from "./catalog.ts";
import type { NamedSettings } from "./runsettings.ts";
import {
  type FingerprintedModel,
  isNamed,
  type RegisteredNames,
  type ScannedModel,
  servedModelsOf,
} from "./served.ts";

export interface ModelScannerOptions {
  store: ModelStore;
  catalog: Catalog;
  log: Logger;
  /** The settings of models in config.json. Default: none. */
  settings?: NamedSettings;
  /** The models of other programs that are served. Default: none. */
  sources?: Pick<ModelSources, "list">;
  /** Ends the engines of a model whose files have changed or are gone. */
  retire(modelId: string): Promise<void>;
}

/** A folder whose files make no model, with the reason. */
type RecordedUnusable = UnusableFolder & { record: ModelRecord | undefined };

const SCAN_INTERVAL_MS = 60_000;

/** Keeps the catalog equal to the models folder, whoever adds and removes files there. */
export class ModelScanner {
  readonly #options: ModelScannerOptions;
  /** What the catalog has from the models folder, by id. */
  readonly #served = new Map<string, FingerprintedModel>();
  /** Names, in lower case, of the models that `withdraw` keeps out of the catalog. */
  readonly #withdrawn = new Set<string>();
  #models: ScannedModel[] = [];
  #unusable: RecordedUnusable[] = [];
  #registered: readonly RegisteredNames[] = [];
  #scanning: Promise<void> | undefined;
  #nextScan: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Called when the names that the catalog lists have changed. */
  onChange: () => void = () => undefined;

  constructor(options: ModelScannerOptions) {
    this.#options = options;
  }

  /** The complete models, as of the last scan. */
  get models(): readonly ScannedModel[] {
    return this.#models;
  }

  /** The folders whose files make no model, as of the last scan. */
  get unusable(): readonly RecordedUnusable[] {
    return this.#unusable;
  }

  /** Scans the folder every minute from now on. */
  start(): void {
    this.#timer = setInterval(() => void this.scan(), SCAN_INTERVAL_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Replaces the names that the registry has for models, and scans. Never throws. */
  async setRegistered(registered: readonly RegisteredNames[]): Promise<void> {
    this.#registered = registered;
    await this.scan();
  }

  /** Scans the folder and updates the catalog. Sees all changes before the call. Never throws. */
  scan(): Promise<void> {
    if (this.#scanning === undefined) return this.#startScan();
    // The scan that runs may have missed the latest changes: one more follows it.
    this.#nextScan ??= this.#scanning.then(() => {
      this.#nextScan = undefined;
      return this.#startScan();
    });
    return this.#nextScan;
  }

  /**
   * Stops serving a model, or one quantization of it (`id:QUANT`), waits until its requests have
   * ended, runs `work` on its files, and scans. Throws what `work` throws.
   */
  async withdraw<T>(name: string, work: () => Promise<T>): Promise<T> {
    const key = name.toLowerCase();
    this.#withdrawn.add(key);
    try {
      const named = [...this.#served.values()].filter(({ served }) => isNamed(served, key));
      await Promise.all(named.map(({ served }) => this.#drop(served.id)));
      return await work();
    } finally {
      this.#withdrawn.delete(key);
      await this.scan();
    }
  }

  #startScan(): Promise<void> {
    this.#scanning = this.#scan()
      .catch((err: unknown) => this.#options.log.error({ err }, "models.scan_failed"))
      .finally(() => {
        this.#scanning = undefined;
      });
    return this.#scanning;
  }

  async #scan(): Promise<void> {
    const { store, catalog, log, retire } = this.#options;
    await this.#readStore(store);
    const before = listedNames(catalog);
    const outdated = this.#updateServed();
    this.#publish();
    for (const id of outdated) void retire(id);
    const after = listedNames(catalog);
    if (after === before) return;
    log.info({ models: after.split("\n") }, "models.changed");
    this.onChange();
  }

  async #readStore(store: ModelStore): Promise<void> {
    const { models, unusable, records } = await store.list();
    const scanned: ScannedModel[] = [];
    for (const model of models) {
      const otherQuantizations = await store.otherQuantizations(model);
      scanned.push({ model, record: records.get(model.id), otherQuantizations });
    }
    for (const found of (await this.#options.sources?.list()) ?? []) {
      const { model, aliases, otherQuantizations } = found;
      const key = model.id.toLowerCase();
      if (scanned.some((one) => one.model.id.toLowerCase() === key)) continue;
      scanned.push({ model, record: undefined, otherQuantizations, aliases });
    }
    this.#models = scanned;
    this.#unusable = unusable.map((one) => ({ ...one, record: records.get(one.id) }));
  }

  /** Updates `#served` from the scan; returns the ids whose running engines are outdated. */
  #updateServed(): string[] {
    const outdated: string[] = [];
    const ids = new Set<string>();
    const { settings = [] } = this.#options;
    const names = { registered: this.#registered, settings };
    const found = this.#models.flatMap((one) => servedModelsOf(one, names));
    const withdrawn = [...this.#withdrawn];
    for (const { served, fingerprint } of found) {
      if (withdrawn.some((key) => isNamed(served, key))) continue;
      const known = this.#served.get(served.id);
      ids.add(served.id);
      // The reader of unchanged files remembers what it has read.
      const { locate } = known?.fingerprint === fingerprint ? known.served : served;
      this.#served.set(served.id, { fingerprint, served: { ...served, locate } });
      if (known !== undefined && known.fingerprint !== fingerprint) outdated.push(served.id);
    }
    for (const id of this.#served.keys()) {
      if (ids.has(id)) continue;
      this.#served.delete(id);
      outdated.push(id);
    }
    return outdated;
  }

  #publish(): void {
    this.#options.catalog.setStored([...this.#served.values()].map(({ served }) => served));
  }

  async #drop(id: string): Promise<void> {
    this.#served.delete(id);
    this.#publish();
    await this.#options.retire(id);
  }
}

function listedNames(catalog: Catalog): string {
  const names = catalog.listedNames().map(({ name }) => name);
  return names.sort().join("\n");
}
