import { localName } from "../model/filename.ts";
import type { ModelContent } from "../wire/registry.ts";
import { stemOf } from "./weights.ts";

/** What names are made of. */
export interface NamedRow {
  id: string;
  repo: string;
  filename: string | null;
  aliases: readonly string[];
  content: Pick<ModelContent, "variants" | "quantization" | "primary"> | null;
}

/** A registered model, as a name means it. */
export interface Resolved {
  /** The canonical id. */
  id: string;
  /** The names by which endpoints may list it. */
  names: readonly string[];
  /** Set where the name asks for one quantization among others (`org/name:Q4_K_M`). */
  quantization?: string;
}

/** Stems that say nothing: many models have a file of that name. */
const NAMELESS = /^(?:model|ggml-model|pytorch_model|consolidated|weights)$/i;

/**
 * Which model a name means, in any case. Claims, strongest first:
 *
 * 1. its id; 2. an operator's alias; 3. `org/name[/file]` and `org/name:QUANT` of what was
 * registered by them; 4. `org/name:QUANT` and `org/name/file` of the variants of a whole
 * repository; 5. `org/name` of a repository of which only one file is registered; 6. what servers
 * make of it: the last part, the file's name with and without ending, with `:QUANT`.
 *
 * Where two models claim a name with equal right, it means neither.
 */
export class NameIndex {
  readonly #byName = new Map<string, Resolved | "ambiguous">();

  constructor(rows: readonly NamedRow[]) {
    const perRepo = Map.groupBy(rows, ({ repo }) => repo.toLowerCase());
    const models = rows.map((row) => {
      const isAlone = perRepo.get(row.repo.toLowerCase())?.length === 1;
      return { row, claims: claimsOf(row, isAlone) };
    });
    const owners = ownersOf(models.map(({ row, claims }) => ({ id: row.id, ranks: claims.names })));
    for (const { row, claims } of models) {
      const own = claims.names.flat().filter((name) => owners.get(name.toLowerCase()) === row.id);
      const whole: Resolved = { id: row.id, names: withLowered(own) };
      for (const name of own) this.#byName.set(name.toLowerCase(), whole);
    }
    for (const { row, claims } of models) this.#addVariants(row.id, claims.variants);
  }

  resolve(name: string): Resolved | undefined {
    const found = this.#byName.get(name.toLowerCase());
    return found === "ambiguous" ? undefined : found;
  }

  /** Everything that can be meant, each once: models, and their quantizations after them. */
  all(): Resolved[] {
    const all = [...this.#byName.values()].filter((one) => one !== "ambiguous");
    const isVariant = ({ quantization }: Resolved) => Number(quantization !== undefined);
    return [...new Set(all)].sort((a, b) => isVariant(a) - isVariant(b));
  }

  #addVariants(id: string, variants: VariantClaims[]): void {
    for (const { quantization, names } of variants) {
      const free = names.filter((name) => {
        const owner = this.#byName.get(name.toLowerCase());
        return owner === undefined || (owner !== "ambiguous" && owner.quantization !== undefined);
      });
      const variant: Resolved = { id, names: withLowered(free), quantization };
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

function claimsOf(row: NamedRow, isAlone: boolean): Claims {
  const { id, repo, filename, aliases, content } = row;
  const leaf = repo.slice(repo.indexOf("/") + 1);
  const quantization = content?.quantization ?? undefined;
  const variants = content?.variants ?? [];
  const withQuantization = (name: string) => {
    return quantization === undefined ? [] : [`${name}:${quantization}`];
  };
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
  const single = isOne ? [...withQuantization(repo), ...withQuantization(id)] : [];
  if (isOne) weak.push(...withQuantization(leaf));
  return {
    names: [
      ...[[id], [...aliases], [repo, ...single]],
      isOne ? files.map((file) => `${repo}/${file}`) : [],
      [],
      weak.filter((name) => !NAMELESS.test(stemOf(name))),
    ],
    variants: isOne
      ? []
      : variants.flatMap((variant) => {
          if (variant.quantization === null) return [];
          const suffix = `:${variant.quantization}`;
          const names = [id, repo, leaf].map((name) => name + suffix);
          const file = [`${id}/${variant.filename}`, `${repo}/${variant.filename}`];
          return [{ quantization: variant.quantization, names: [...names, ...file] }];
        }),
  };
}

/** Folders on nodes are in lower case, and some servers list those. */
function withLowered(names: readonly string[]): string[] {
  return [...new Set([...names, ...names.map((name) => name.toLowerCase())])];
}

/** Who has a name: whoever claims it strongest, if that is one alone. */
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
