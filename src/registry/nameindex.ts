import { ggufStem, localName } from "../model/filename.ts";
import { clearTags } from "../model/quantization.ts";
import type { ModelContent } from "../wire/registry.ts";

/** What the names of a registered model are derived from. */
export interface NameFacts {
  id: string;
  repo: string;
  filename: string | null;
  aliases: readonly string[];
  content: Pick<ModelContent, "variants" | "quantization" | "primary"> | null;
}

/** What a name means: a registered model, or one quantization of it. */
export interface NameMeaning {
  /** The canonical id. */
  id: string;
  /** The names by which endpoints may list it. */
  names: readonly string[];
  /** Set if the name means one of several quantizations (`org/name:Q4_K_M`). */
  quantization?: string;
}

/** File names that many models have: they name none. */
const NAMELESS = /^(?:model|ggml-model|pytorch_model|consolidated|weights)$/i;

/**
 * Finds the model that a name means; upper and lower case are the same. A model has these names,
 * the strongest first:
 *
 * 1. its id; 2. an operator's alias; 3. `org/name[/file]` and `org/name:QUANT` of what was
 * registered by them; 4. `org/name:QUANT` and `org/name/file` of the variants of a whole
 * repository; 5. `org/name` of a repository of which only one file is registered; 6. what servers
 * make of it: the last part, the file's name with and without ending, with `:QUANT`.
 *
 * A name that is equally strong for two models means neither.
 */
export class NameIndex {
  readonly #byName = new Map<string, NameMeaning | "ambiguous">();

  constructor(rows: readonly NameFacts[]) {
    const perRepo = Map.groupBy(rows, ({ repo }) => repo.toLowerCase());
    const models = rows.map((row) => {
      const isAlone = perRepo.get(row.repo.toLowerCase())?.length === 1;
      return { row, claims: claimsOf(row, isAlone) };
    });
    const owners = ownersOf(models.map(({ row, claims }) => ({ id: row.id, ranks: claims.names })));
    for (const { row, claims } of models) {
      const own = claims.names.flat().filter((name) => owners.get(name.toLowerCase()) === row.id);
      const whole: NameMeaning = { id: row.id, names: withLowered(own) };
      for (const name of own) this.#byName.set(name.toLowerCase(), whole);
    }
    for (const { row, claims } of models) this.#addVariants(row.id, claims.variants);
  }

  resolve(name: string): NameMeaning | undefined {
    const found = this.#byName.get(name.toLowerCase());
    return found === "ambiguous" ? undefined : found;
  }

  /** Everything that a name can mean, each once: models, then their quantizations. */
  all(): NameMeaning[] {
    const all = [...this.#byName.values()].filter((one) => one !== "ambiguous");
    const isVariant = ({ quantization }: NameMeaning) => Number(quantization !== undefined);
    return [...new Set(all)].sort((a, b) => isVariant(a) - isVariant(b));
  }

  #addVariants(id: string, variants: VariantClaims[]): void {
    for (const { quantization, names } of variants) {
      const free = names.filter((name) => {
        const owner = this.#byName.get(name.toLowerCase());
        return owner === undefined || (owner !== "ambiguous" && owner.quantization !== undefined);
      });
      const variant: NameMeaning = { id, names: withLowered(free), quantization };
      for (const name of free) {
        const key = name.toLowerCase();
        this.#byName.set(key, this.#byName.has(key) ? "ambiguous" : variant);
      }
    }
  }
}

interface VariantClaims {
  quantization: string;
  names: string[];
}

interface Claims {
  /** Strongest first. */
  names: string[][];
  variants: VariantClaims[];
}

function claimsOf(row: NameFacts, isAlone: boolean): Claims {
  const { id, repo, filename, aliases, content } = row;
  const leaf = repo.slice(repo.indexOf("/") + 1);
  const variants = content?.variants ?? [];
  const tags = variants.flatMap((variant) => variant.quantization ?? []);
  const single = content?.quantization ?? undefined;
  const withTag = (name: string, tag: string) =>
    clearTags(tag, tags).map((one) => `${name}:${one}`);
  const withQuantization = (name: string) => (single === undefined ? [] : withTag(name, single));
  if (filename !== null) {
    const weak = [stemOf(filename), localName(filename), ...withQuantization(leaf)];
    return {
      names: [
        ...[[id], [...aliases], [`${repo}/${filename}`, ...withQuantization(repo)]],
        ...[[], isAlone ? [repo] : []],
        weak.filter((name) => !NAMELESS.test(stemOf(name))),
      ],
      variants: [],
    };
  }
  const isOne = variants.length <= 1;
  const files = variants.map((variant) => variant.filename);
  const weak = [leaf, ...files.map(stemOf), ...files.map(localName)];
  const tagged = isOne ? [...withQuantization(repo), ...withQuantization(id)] : [];
  if (isOne) weak.push(...withQuantization(leaf));
  return {
    names: [
      ...[[id], [...aliases], [repo, ...tagged]],
      isOne ? files.map((file) => `${repo}/${file}`) : [],
      [],
      weak.filter((name) => !NAMELESS.test(stemOf(name))),
    ],
    variants: isOne
      ? []
      : variants.flatMap((variant) => {
          const { quantization } = variant;
          if (quantization === null) return [];
          const names = [id, repo, leaf].flatMap((name) => withTag(name, quantization));
          const file = [`${id}/${variant.filename}`, `${repo}/${variant.filename}`];
          return [{ quantization, names: [...names, ...file] }];
        }),
  };
}

/** Names and their lower case: some servers list folders of nodes, which are in lower case. */
function withLowered(names: readonly string[]): string[] {
  return [...new Set([...names, ...names.map((name) => name.toLowerCase())])];
}

/** The id of the model that has each name: the one for which it is strongest, if it is only one. */
function ownersOf(models: { id: string; ranks: string[][] }[]): Map<string, string | undefined> {
  const owners = new Map<string, string | undefined>();
  const ranks = Math.max(0, ...models.map((model) => model.ranks.length));
  for (let rank = 0; rank < ranks; rank += 1) {
    const here = new Map<string, string | undefined>();
    for (const { id, ranks: names } of models) {
      for (const name of names[rank] ?? []) {
        const key = name.toLowerCase();
        if (owners.has(key)) continue;
        here.set(key, here.has(key) && here.get(key) !== id ? undefined : id);
      }
    }
    for (const [name, id] of here) owners.set(name, id);
  }
  return owners;
}

/** The name of a file without its ending, by which servers that load the file list the model. */
function stemOf(path: string): string {
  return ggufStem(localName(path));
}
