import type { Endpoint, ModelMap } from "./endpoint.ts";

/** All endpoints, and which of them list which model. */
export class Fleet {
  readonly #endpoints = new Map<string, Endpoint>();
  #byModel = new Map<string, Endpoint[]>();

  get endpoints(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Model ids that some endpoint listed last time it answered, sorted. */
  get models(): string[] {
    return [...this.#byModel.keys()].sort();
  }

  /** Adds an endpoint and returns the one of the same name that it replaces. */
  add(endpoint: Endpoint): Endpoint | undefined {
    const replaced = this.#endpoints.get(endpoint.name);
    this.#endpoints.set(endpoint.name, endpoint);
    if (replaced !== undefined) this.#index();
    return replaced;
  }

  /** Whether an endpoint is still part of the fleet: it may have been replaced. */
  has(endpoint: Endpoint): boolean {
    return this.#endpoints.get(endpoint.name) === endpoint;
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
    const same = known?.size === models.size && [...models.keys()].every((id) => known.has(id));
    if (!same) this.#index();
  }

  #index(): void {
    this.#byModel = new Map();
    for (const endpoint of this.#endpoints.values()) {
      for (const id of endpoint.models?.keys() ?? []) {
        const serving = this.#byModel.get(id);
        if (serving === undefined) this.#byModel.set(id, [endpoint]);
        else serving.push(endpoint);
      }
    }
  }
}
