import { ApiError } from "../../wire/error.ts";
import type { RunSettings } from "../../wire/runsettings.ts";
import type { ModelFiles } from "./modelfiles.ts";

/** A model that this node serves. */
export interface ServedModel {
  id: string;
  /** Other names by which requests may name it. */
  aliases?: readonly string[];
  /** The aliases that `GET /v1/models` lists as well. */
  listedAliases?: readonly string[];
  /** llama-server arguments for this model. The operator's follow them and win. */
  args: string[];
  /** How long it stays loaded after its last request, in ms. Default: the node's. */
  keepAliveMs?: number;
  /** It stays loaded. Default: what the node's settings say. */
  isPinned?: boolean;
  /** What may be taken from it so that it fits. Default: what the node's settings say. */
  fit?: RunSettings["fit"];
  /** The nodes whose devices its engines use as well, by their names. */
  workers?: readonly string[];
  /** The model's files as they are now. Throws `model_load_failed` if they cannot be made. */
  locate(): Promise<ModelFiles>;
}

/** How many models an error message names. */
const NAMED_MAX = 20;

/**
 * The models of a node by name: those that its settings name, which stay, and those in its models
 * folder, which come and go.
 */
export class Catalog {
  readonly #configured: readonly ServedModel[];
  #models = new Map<string, ServedModel>();
  #names = new Map<string, ServedModel>();
  /** By their names in lower case, for clients that spell one otherwise. */
  #folded = new Map<string, ServedModel>();
  /** Explains why a name has no model; undefined: there is no such model. */
  explainAbsence: (name: string) => ApiError | undefined = () => undefined;

  constructor(configured: ServedModel[]) {
    this.#configured = configured;
    this.setStored([]);
  }

  /** Replaces the models of the models folder. Configured ones win where names are the same. */
  setStored(stored: readonly ServedModel[]): void {
    const models = new Map<string, ServedModel>();
    for (const model of [...this.#configured, ...stored]) {
      if (!models.has(model.id)) models.set(model.id, model);
    }
    const names = new Map(models);
    for (const model of models.values()) {
      for (const name of model.aliases ?? []) if (!names.has(name)) names.set(name, model);
    }
    this.#models = models;
    this.#names = names;
    this.#folded = new Map();
    for (const [name, model] of names) {
      const key = name.toLowerCase();
      if (!this.#folded.has(key)) this.#folded.set(key, model);
    }
  }

  /** All models. */
  list(): ServedModel[] {
    return [...this.#models.values()];
  }

  /** Every name that `GET /v1/models` lists, with its model. */
  listedNames(): { name: string; model: ServedModel }[] {
    return this.list().flatMap((model) =>
      [model.id, ...this.listedAliasesOf(model)].map((name) => ({ name, model })),
    );
  }

  /** The names besides its id that a model is listed by. */
  listedAliasesOf(model: ServedModel): string[] {
    return (model.listedAliases ?? []).filter((name) => this.#names.get(name) === model);
  }

  /** Whether a name has a model. */
  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /**
   * The model with a name. Throws what `explainAbsence` returns, else `model_not_found` (404) with
   * the names of the models there are.
   */
  get(name: string): ServedModel {
    const model = this.#find(name);
    if (model !== undefined) return model;
    const message = `The model ${JSON.stringify(name.slice(0, 200))} does not exist here: \
${this.#summary()}.`;
    throw this.explainAbsence(name) ?? new ApiError("model_not_found", message, { param: "model" });
  }

  /** The model of a node that has just one. Throws 400 if a request must name a model. */
  only(): ServedModel {
    const [model, another] = this.#models.values();
    if (model !== undefined && another === undefined) return model;
    const message = `The request is invalid: \`model\` is required, ${this.#summary()}.`;
    throw new ApiError("invalid_request", message, { param: "model" });
  }

  #find(name: string): ServedModel | undefined {
    return this.#names.get(name) ?? this.#folded.get(name.toLowerCase());
  }

  #summary(): string {
    const ids = [...this.#models.keys()];
    if (ids.length === 0) return "this node serves no models";
    const more = ids.length > NAMED_MAX ? ` and ${ids.length - NAMED_MAX} more` : "";
    return `this node serves ${ids.slice(0, NAMED_MAX).join(", ")}${more}`;
  }
}
