import { HUB_PREFIX } from "../../model/name.ts";
import type { Endpoint, ModelMap } from "./endpoint.ts";
import { ModelNames } from "./modelnames.ts";

/** All endpoints, and which of them serve which model under whatever name. */
export class UpstreamPool {
  readonly #names: ModelNames;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #byModel = new Map<string, Endpoint[]>();
  /** Its ids, sorted; undefined: not since the last change. */
  #sorted: readonly string[] | undefined;

  constructor(names: ModelNames = new ModelNames()) {
    this.#names = names;
    names.onChange = () => this.#rename();
  }

  get endpoints(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Ids of the models on the endpoints' last lists, sorted. */
  get models(): readonly string[] {
    this.#sorted ??= [...this.#byModel.keys()].sort();
    return this.#sorted;
  }

  /** Adds an endpoint, with the models it has already. */
  add(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.id, endpoint);
    endpoint.served = this.#servedBy(endpoint.models);
    this.#list(endpoint, endpoint.served.keys());
  }

  /** Removes an endpoint; requests that it works on go on. */
  remove(endpoint: Endpoint): void {
    if (!this.has(endpoint)) return;
    this.#endpoints.delete(endpoint.id);
    this.#unlist(endpoint, endpoint.served.keys());
  }

  /** Whether an endpoint is still part of the pool. */
  has(endpoint: Endpoint): boolean {
    return this.#endpoints.get(endpoint.id) === endpoint;
  }

  get(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  /**
   * The id of the model with this name. Ollama's clients write `name:latest` where others write
   * `name`, and what a node has of the hub as `hf/org/name` is `org/name` to whoever pulled it: one
   * stands for the other if only the other is served.
   */
  idOf(name: string): string {
    const id = this.#names.idOf(name);
    if (this.#byModel.has(id)) return id;
    const other = name.endsWith(LATEST) ? name.slice(0, -LATEST.length) : name + LATEST;
    const ids = [other, HUB_PREFIX + name].map((one) => this.#names.idOf(one));
    return ids.find((one) => this.#byModel.has(one)) ?? id;
  }

  /** The other names by which clients may ask for a model. */
  aliasesOf(id: string): string[] {
    return this.#names.aliasesOf(id);
  }

  /** Endpoints that serve the model with this id, online or not. */
  serving(id: string): readonly Endpoint[] {
    return this.#byModel.get(id) ?? [];
  }

  /** Sets an endpoint's new list of models. */
  setModels(endpoint: Endpoint, models: ModelMap): void {
    if (endpoint.models === undefined) endpoint.seenAt = Math.floor(Date.now() / 1000);
    endpoint.models = models;
    const known = endpoint.served;
    const served = this.#servedBy(models);
    endpoint.served = served;
    if (!this.has(endpoint)) return;
    this.#unlist(
      endpoint,
      [...known.keys()].filter((id) => !served.has(id)),
    );
    this.#list(
      endpoint,
      [...served.keys()].filter((id) => !known.has(id)),
    );
  }

  /** Names have changed: what an endpoint lists may now be another model. */
  #rename(): void {
    this.#byModel.clear();
    this.#sorted = undefined;
    for (const endpoint of this.#endpoints.values()) this.add(endpoint);
  }

  /** What an endpoint serves, by id, under its own name for it. */
  #servedBy(models: ModelMap | undefined): Map<string, string> {
    const served = new Map<string, string>();
    for (const name of models?.keys() ?? []) {
      const id = this.#names.idOf(name);
      // Of two names for one model, the id itself goes before others.
      if (name === id || !served.has(id)) served.set(id, name);
    }
    return served;
  }

  /** Lists are replaced, never changed, because a reader may wait between two entries. */
  #list(endpoint: Endpoint, ids: Iterable<string>): void {
    for (const id of ids) {
      const serving = this.serving(id);
      if (serving.length === 0) this.#sorted = undefined;
      if (!serving.includes(endpoint)) this.#byModel.set(id, [...serving, endpoint]);
    }
  }

  #unlist(endpoint: Endpoint, ids: Iterable<string>): void {
    for (const id of ids) {
      const rest = this.serving(id).filter((one) => one !== endpoint);
      if (rest.length === 0) {
        this.#byModel.delete(id);
        this.#sorted = undefined;
      } else this.#byModel.set(id, rest);
    }
  }
}

const LATEST = ":latest";
