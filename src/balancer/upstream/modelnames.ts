import { capitalizeQuantization } from "../../model/name.ts";

/** A model and all names by which it is known. */
export interface NamedModel {
  /** The name that it is listed by. */
  id: string;
  /** Other names that clients and endpoints use for it. */
  aliases: readonly string[];
}

/** Where names come from. The registry's name of a model is its id and wins. */
const SOURCES = ["registry", "config"] as const;
export type ModelNameSource = (typeof SOURCES)[number];

/**
 * Which names mean the same model. A name that is not known here is a model of its own. Two models
 * that share a name are one, listed by the id of the first.
 */
export class ModelNames {
  readonly #bySource: Record<ModelNameSource, readonly NamedModel[]> = { registry: [], config: [] };
  /** The id by each name. */
  #ids = new Map<string, string>();
  /** The id by each name of the registry that has a quantization, which is in capitals here. */
  #capitalized = new Map<string, string>();
  /** The other names by each id. */
  #aliases = new Map<string, string[]>();
  /** Called after a change. */
  onChange: () => void = () => undefined;

  /** Sets all names of one source. */
  set(source: ModelNameSource, models: readonly NamedModel[]): void {
    this.#bySource[source] = models;
    this.#ids = new Map();
    this.#aliases = new Map();
    for (const { id, aliases } of SOURCES.flatMap((one) => this.#bySource[one])) {
      this.#add([id, ...aliases]);
    }
    this.#capitalized = new Map(
      this.#bySource.registry
        .flatMap(({ id, aliases }) => [id, ...aliases])
        .filter((name) => name.includes(":"))
        .map((name) => [capitalizeQuantization(name), this.idOf(name)]),
    );
    this.onChange();
  }

  /**
   * The id of the model that a name means; the name itself where nothing is known of it. A name of
   * the registry with a quantization (`name:Q4_K_M`) may have that in any case.
   */
  idOf(name: string): string {
    const id = this.#ids.get(name);
    if (id !== undefined || !name.includes(":")) return id ?? name;
    return this.#capitalized.get(capitalizeQuantization(name)) ?? name;
  }

  /** The other names that mean a model, sorted. */
  aliasesOf(id: string): string[] {
    return (this.#aliases.get(id) ?? []).toSorted();
  }

  #add(names: readonly string[]): void {
    const known = names.map((name) => this.#ids.get(name)).find((id) => id !== undefined);
    const id = known ?? names[0] ?? "";
    const aliases = this.#aliases.get(id) ?? [];
    for (const name of names) {
      if (this.#ids.has(name)) continue;
      this.#ids.set(name, id);
      if (name !== id) aliases.push(name);
    }
    this.#aliases.set(id, aliases);
  }
}
