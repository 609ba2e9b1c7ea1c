import { stat } from "node:fs/promises";
import type { ModelSetting, Settings } from "../../config/settings.ts";
import { type Pooling, readPooling, readSenses, type Senses } from "../../model/capability.ts";
import { ApiError } from "../../wire/error.ts";
import { TINY_MODEL_ARGS, TINY_MODEL_ID, tinyModelFinder } from "./tiny.ts";

/** A model's files as they are at this moment. */
export interface ModelFiles {
  /** Absolute path of the GGUF file; it may be missing, the engine says so. */
  path: string;
  mmproj?: string;
  /** Changes when a file appears, goes or changes its size or time. */
  fingerprint: string;
  pooling: Pooling | undefined;
  /** What its projector lets it take in; undefined without one. */
  senses?: Senses;
}

/** A model that this node serves. */
export interface ServedModel {
  id: string;
  /** Other names that requests may use. */
  aliases?: readonly string[];
  /** Those of them that it is listed by as well. */
  listed?: readonly string[];
  /** llama-server arguments of this model; the operator's come after them and win. */
  args: string[];
  locate(): Promise<ModelFiles>;
}

/** Names in an error message; a node with more models has `/v1/models`. */
const NAMED_MAX = 20;

/**
 * The models of a node, by id: those of its settings, which stay, and those that lie in its models
 * folder, which come and go.
 */
export class Catalog {
  readonly #fixed: readonly ServedModel[];
  #models = new Map<string, ServedModel>();
  #names = new Map<string, ServedModel>();
  /** Tells of a name that means nothing here why that is so; undefined: there is no such model. */
  absent: (name: string) => ApiError | undefined = () => undefined;

  constructor(fixed: ServedModel[]) {
    this.#fixed = fixed;
    this.setStored([]);
  }

  /** Takes these in place of those of the models folder. What the settings name goes before. */
  setStored(stored: readonly ServedModel[]): void {
    const all = [...this.#fixed, ...stored];
    const models = new Map<string, ServedModel>();
    for (const model of all) if (!models.has(model.id)) models.set(model.id, model);
    const names = new Map(models);
    for (const model of models.values()) {
      for (const name of model.aliases ?? []) if (!names.has(name)) names.set(name, model);
    }
    this.#models = models;
    this.#names = names;
  }

  list(): ServedModel[] {
    return [...this.#models.values()];
  }

  /** Every name that a model is listed by. */
  listed(): { name: string; model: ServedModel }[] {
    return this.list().flatMap((model) => {
      const names = (model.listed ?? []).filter((name) => this.#names.get(name) === model);
      return [model.id, ...names].map((name) => ({ name, model }));
    });
  }

  /** Whether a name means a model that is here. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * The model with this name. Throws what `absent` tells, else `model_not_found` (404), naming
   * those there are.
   */
  get(name: string): ServedModel {
    const model = this.#names.get(name);
    if (model !== undefined) return model;
    const message = `The model ${JSON.stringify(name.slice(0, 200))} does not exist here: \
${this.#told()}.`;
    throw this.absent(name) ?? new ApiError("model_not_found", message, { param: "model" });
  }

  /** The only model there is; throws 400 if a request has to name one. */
  only(): ServedModel {
    const [model, another] = this.#models.values();
    if (model !== undefined && another === undefined) return model;
    const message = `The request is invalid: \`model\` is required, ${this.#told()}.`;
    throw new ApiError("invalid_request", message, { param: "model" });
  }

  #told(): string {
    const ids = [...this.#models.keys()];
    if (ids.length === 0) return "this node serves no models";
    const more = ids.length > NAMED_MAX ? ` and ${ids.length - NAMED_MAX} more` : "";
    return `this node serves ${ids.slice(0, NAMED_MAX).join(", ")}${more}`;
  }
}

/**
 * The models that the settings name. In standalone mode, and when there are none, the built-in
 * model comes with them, unless one of theirs has its name.
 */
export function servedModels({ mode, models, home }: Settings): ServedModel[] {
  const named = models.map(namedModel);
  const withTiny = mode === "standalone" || models.length === 0;
  if (!withTiny || models.some(({ id }) => id === TINY_MODEL_ID)) return named;
  return [...named, tinyModel(home)];
}

function namedModel({ id, path, mmproj }: ModelSetting): ServedModel {
  return { id, args: [], locate: describer(path, mmproj) };
}

function tinyModel(home: string): ServedModel {
  const find = tinyModelFinder(home);
  let describe: (() => Promise<ModelFiles>) | undefined;
  return {
    id: TINY_MODEL_ID,
    args: TINY_MODEL_ARGS,
    locate: async () => {
      const { path, mmproj } = await find().catch((cause: unknown) => {
        const message = `Copying the built-in model to ${home} failed: is the folder writable, \
and is there space left?`;
        throw new ApiError("model_load_failed", message, { cause });
      });
      describe ??= describer(path, mmproj);
      return describe();
    },
  };
}

/** Looks at a model's files; reads the main one only when it has changed. */
export function describer(path: string, mmproj: string | undefined): () => Promise<ModelFiles> {
  let last: ModelFiles | undefined;
  return async () => {
    const paths = mmproj === undefined ? [path] : [path, mmproj];
    const fingerprint = (await Promise.all(paths.map(mark))).join("\n");
    if (last?.fingerprint === fingerprint) return last;
    const pooling = await readPooling(path);
    const extra = mmproj === undefined ? {} : { mmproj, senses: await readSenses(mmproj) };
    last = { path, ...extra, fingerprint, pooling };
    return last;
  };
}

async function mark(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? `${path} absent` : `${path} ${found.size} ${found.mtimeMs}`;
}
