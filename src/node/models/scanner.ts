import type { Logger } from "../../lib/log.ts";
import { isGguf, isSameQuantization, quantizationOf } from "../../model/filename.ts";
import type { StoredModel } from "../../storage/descriptor.ts";
import { readFolder } from "../../storage/folder.ts";
import type { ModelRecord } from "../../storage/record.ts";
import type { Store, Unusable } from "../../storage/store.ts";
import { ApiError } from "../../wire/error.ts";
import { type Catalog, describer, type ServedModel } from "./catalog.ts";

/** What a registry calls a model. */
export interface Called {
  id: string;
  /** Other names of it. */
  names: readonly string[];
  /** Quantizations that it lists as models of their own. */
  quantizations: readonly string[];
}

/** A model that lies in the models folder. */
export interface ScannedModel {
  model: StoredModel;
  record: ModelRecord | undefined;
  /** By its quantization, where several lie in the folder: those that are not meant without. */
  others: StoredModel[];
}

export interface ModelScannerOptions {
  store: Store;
  catalog: Catalog;
  log: Logger;
  /** Ends the engines of a model whose files are gone or are others now. */
  retire(modelId: string): Promise<void>;
}

/** Which engine can run which models. */
const RUNTIME = "llama_cpp";
const EVERY_MS = 60_000;

/** Keeps the catalog what the models folder holds, whoever puts files there or takes them away. */
export class ModelScanner {
  readonly #options: ModelScannerOptions;
  readonly #served = new Map<string, { mark: string; served: ServedModel }>();
  /** In lower case, with the quantization if it is only that: those that are being removed. */
  readonly #leaving = new Set<string>();
  #shelved: ScannedModel[] = [];
  #unusable: (Unusable & { record: ModelRecord | undefined })[] = [];
  #called: readonly Called[] = [];
  #scanning: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Called when other models are served than before. */
  onChange: () => void = () => undefined;

  constructor(options: ModelScannerOptions) {
    this.#options = options;
  }

  /** Models whose files are whole, as of the last scan. */
  get models(): readonly ScannedModel[] {
    return this.#shelved;
  }

  /** Folders whose files make no model. */
  get unusable(): readonly (Unusable & { record: ModelRecord | undefined })[] {
    return this.#unusable;
  }

  /** Looks at the folder every minute from now on. */
  start(): void {
    this.#timer = setInterval(() => void this.scan(), EVERY_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Sets what a registry calls the models, in place of what was said before. */
  async call(called: readonly Called[]): Promise<void> {
    this.#called = called;
    await this.scan();
  }

  /** Brings the catalog up to date with what is there by now. Never throws. */
  scan(): Promise<void> {
    if (this.#scanning === undefined) return this.#begin();
    // What came after that one began is seen by the next one only.
    this.#again ??= this.#scanning.then(() => {
      this.#again = undefined;
      return this.#begin();
    });
    return this.#again;
  }

  /**
   * Stops serving a model, or one quantization of it (`id:QUANT`), waits for its requests, and does
   * `work` with its files; then looks again.
   */
  async without<T>(name: string, work: () => Promise<T>): Promise<T> {
    const key = name.toLowerCase();
    this.#leaving.add(key);
    try {
      const meant = [...this.#served.values()].filter(({ served }) => means(served, key));
      await Promise.all(meant.map(({ served }) => this.#drop(served.id)));
      return await work();
    } finally {
      this.#leaving.delete(key);
      await this.scan();
    }
  }

  #begin(): Promise<void> {
    this.#scanning = this.#scan()
      .catch((err: unknown) => this.#options.log.error({ err }, "models.scan_failed"))
      .finally(() => {
        this.#scanning = undefined;
      });
    return this.#scanning;
  }

  async #scan(): Promise<void> {
    const { store, catalog, log } = this.#options;
    const { models, unusable, records } = await store.list();
    const shelved: ScannedModel[] = [];
    for (const model of models) {
      const record = records.get(model.id);
      shelved.push({ model, record, others: await this.#othersOf(model) });
    }
    this.#shelved = shelved;
    this.#unusable = unusable.map((one) => ({ ...one, record: records.get(one.id) }));
    const before = namesIn(catalog);
    const seen = new Set<string>();
    for (const { served, mark } of shelved.flatMap((one) => this.#servedFrom(one))) {
      seen.add(served.id);
      const known = this.#served.get(served.id);
      if (known?.mark === mark) {
        this.#served.set(served.id, { mark, served: { ...served, locate: known.served.locate } });
        continue;
      }
      this.#served.set(served.id, { mark, served });
      if (known !== undefined) void this.#options.retire(served.id);
    }
    const gone = [...this.#served.keys()].filter((id) => !seen.has(id));
    for (const id of gone) this.#served.delete(id);
    catalog.setStored([...this.#served.values()].map(({ served }) => served));
    for (const id of gone) void this.#options.retire(id);
    const after = namesIn(catalog);
    if (after === before) return;
    log.info({ models: after.split("\n") }, "models.changed");
    this.onChange();
  }

  async #drop(id: string): Promise<void> {
    this.#served.delete(id);
    this.#options.catalog.setStored([...this.#served.values()].map(({ served }) => served));
    await this.#options.retire(id);
  }

  /** What else of a model is there, for names with a quantization. */
  async #othersOf({ id, format, folder, quantization }: StoredModel): Promise<StoredModel[]> {
    if (format !== "gguf") return [];
    const { files } = await readFolder(folder);
    const names = files.map(({ name }) => name).filter(isGguf);
    const told = new Set(names.flatMap((name) => quantizationOf(name) ?? []));
    const others: StoredModel[] = [];
    for (const other of told) {
      if (other === quantization) continue;
      const found = await this.#options.store.find(`${id}:${other}`).catch((error: unknown) => {
        if (error instanceof ApiError) return undefined; // such as that of a projector
        throw error;
      });
      if (found !== undefined) others.push(found);
    }
    return others;
  }

  #servedFrom({ model, record, others }: ScannedModel): { served: ServedModel; mark: string }[] {
    const lowered = model.id.toLowerCase();
    if (model.runtime !== RUNTIME) return [];
    const called = this.#called.find((one) => one.id.toLowerCase() === lowered);
    const { id } = called ?? model;
    const own = namesWith(id, model.quantization);
    const spelled = id === model.id ? [] : [model.id];
    const names = [...own, ...spelled, ...shortOf(id, own), ...(called?.names ?? [])];
    const { quantizations = [] } = called ?? {};
    const isListed = quantizations.some((one) => isSameQuantization(model.quantization, one));
    const listed = isListed ? own.slice(0, 1) : [];
    const template = record?.chat_template;
    const args = template === undefined ? [] : ["--chat-template", template];
    const all = [
      served(model, id, { args, aliases: names, listed }),
      ...others.map((other) => {
        const [name = id, ...spelled] = namesWith(id, other.quantization);
        return served(other, name, { args, aliases: [...spelled, ...shortOf(name, spelled)] });
      }),
    ];
    const leaving = [...this.#leaving];
    return all.filter((one) => !leaving.some((key) => means(one.served, key)));
  }
}

function served(
  { primary, projector, weights }: StoredModel,
  id: string,
  how: Pick<ServedModel, "args" | "aliases" | "listed">,
): { served: ServedModel; mark: string } {
  const files = [...weights, ...(projector === undefined ? [] : [projector])];
  const marks = files.map(({ path, sizeBytes, mtimeMs }) => `${path} ${sizeBytes} ${mtimeMs}`);
  const locate = describer(primary.path, projector?.path);
  return { served: { id, locate, ...how }, mark: [...marks, ...how.args].join("\n") };
}

/** A model's name with its quantization, as its file spells that and in capitals. */
function namesWith(id: string, quantization: string | undefined): string[] {
  if (quantization === undefined) return [];
  return [...new Set([`${id}:${quantization}`, `${id}:${quantization.toUpperCase()}`])];
}

/** The id in lower case, without a quantization. */
function baseOf(id: string): string {
  return id.toLowerCase().split(":")[0] ?? "";
}

/** Whether a name in lower case, as it is removed by, stands for what is served. */
function means({ id, aliases = [] }: ServedModel, key: string): boolean {
  return baseOf(id) === key || [id, ...aliases].some((name) => name.toLowerCase() === key);
}

/** Models of the hub are also meant without `hf/`. */
function shortOf(id: string, more: readonly string[]): string[] {
  return [id, ...more].filter((name) => name.startsWith("hf/")).map((name) => name.slice(3));
}

function namesIn(catalog: Catalog): string {
  return catalog
    .listed()
    .map(({ name }) => name)
    .sort()
    .join("\n");
}
