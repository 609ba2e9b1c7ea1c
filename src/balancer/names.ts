/** One model and the names by which it is known, wherever that is. */
export interface NamedModel {
  /** The name that it is listed by. */
  id: string;
  /** Others: clients may ask by them, endpoints may list it under them. */
  aliases: readonly string[];
}

/**
 * Which names mean the same model. A name that is not known here is a model of its own. Where two
 * models claim a name, the one told first has it; a model's own id is never taken from it.
 */
export class Names {
  readonly #ids = new Map<string, string>();
  readonly #models = new Map<string, NamedModel>();
  readonly #sources = new Map<string, readonly NamedModel[]>();
  /** Called after a change. */
  onChange: () => void = () => undefined;

  /** Sets what one source (the configuration, the registry) tells, in place of what it told. */
  set(source: string, models: readonly NamedModel[]): void {
    this.#sources.set(source, models);
    this.#ids.clear();
    this.#models.clear();
    const all = [...this.#sources.values()].flat();
    for (const model of all) {
      if (this.#models.has(model.id)) continue;
      this.#models.set(model.id, model);
      this.#ids.set(model.id, model.id);
    }
    for (const { id, aliases } of all) {
      for (const alias of aliases) if (!this.#ids.has(alias)) this.#ids.set(alias, id);
    }
    this.onChange();
  }

  /** The id of the model that a name means; the name itself where nothing is known of it. */
  idOf(name: string): string {
    return this.#ids.get(name) ?? name;
  }

  /** The other names of a model that mean it, sorted. */
  aliasesOf(id: string): string[] {
    const all = [...this.#sources.values()].flat().filter((model) => model.id === id);
    const aliases = all.flatMap((model) => model.aliases);
    return [...new Set(aliases)].filter((one) => one !== id && this.#ids.get(one) === id).sort();
  }
}
