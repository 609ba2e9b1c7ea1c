import type { Endpoint, ModelMap } from "./endpoint.ts";

/** All endpoints, and which of them list which model. */
export class Fleet {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #byModel = new Map<string, Endpoint[]>();

  get endpoints(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Model ids that some endpoint listed last time it answered, sorted. */
  get models(): string[] {
    return [...this.#byModel.keys()].sort();
  }

  /** Adds an endpoint, with the models it has already. */
  add(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.id, endpoint);
    this.#list(endpoint, endpoint.models?.keys() ?? []);
  }

  /** Takes an endpoint out; requests that it works on are not touched. */
  remove(endpoint: Endpoint): void {
    if (!this.has(endpoint)) return;
    this.#endpoints.delete(endpoint.id);
    this.#unlist(endpoint, endpoint.models?.keys() ?? []);
  }

  /** Whether an endpoint is still part of the fleet. */
  has(endpoint: Endpoint): boolean {
    return this.#endpoints.get(endpoint.id) === endpoint;
  }

  get(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  /** Endpoints that list a model, online or not. */
  serving(model: string): readonly Endpoint[] {
    return this.#byModel.get(model) ?? [];
  }

  /** Takes note of an endpoint's new model list. */
  setModels(endpoint: Endpoint, models: ModelMap): void {
    const known = endpoint.models;
    endpoint.models = models;
    if (known === undefined) endpoint.seenAt = Math.floor(Date.now() / 1000);
    if (!this.has(endpoint)) return;
    this.#unlist(
      endpoint,
      [...(known?.keys() ?? [])].filter((id) => !models.has(id)),
    );
    this.#list(
      endpoint,
      [...models.keys()].filter((id) => known?.has(id) !== true),
    );
  }

  /** Lists are replaced, never changed: whoever looks through one may wait in between. */
  #list(endpoint: Endpoint, models: Iterable<string>): void {
    for (const id of models) this.#byModel.set(id, [...this.serving(id), endpoint]);
  }

  #unlist(endpoint: Endpoint, models: Iterable<string>): void {
    for (const id of models) {
      const rest = this.serving(id).filter((one) => one !== endpoint);
      if (rest.length === 0) this.#byModel.delete(id);
      else this.#byModel.set(id, rest);
    }
  }
}
