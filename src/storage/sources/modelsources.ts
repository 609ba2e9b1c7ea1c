import type { SourceFolders } from "../../config/modelsources.ts";
import { MetadataCache } from "../metadatacache.ts";
import type { FoundModel } from "./foundmodel.ts";
import { modelsOfHubCache } from "./hubcache.ts";
import { modelsOfLmStudio } from "./lmstudio.ts";
import { modelsOfOllama } from "./ollama.ts";

/** More models of other programs are left out. */
const MODELS_MAX = 2000;

/** The models that other programs keep on this machine. Reads only. */
export class ModelSources {
  readonly #folders: SourceFolders;
  readonly #metadata = new MetadataCache();

  constructor(folders: SourceFolders) {
    this.#folders = folders;
  }

  /** All models; of several with one id, the first. What cannot be read is left out. */
  async list(): Promise<FoundModel[]> {
    const { hub, lmStudio, ollama } = this.#folders;
    const lists = [
      ...hub.map((folder) => modelsOfHubCache(folder, this.#metadata)),
      ...lmStudio.map((folder) => modelsOfLmStudio(folder, this.#metadata)),
      ...ollama.map((folder) => modelsOfOllama(folder, this.#metadata)),
    ];
    const byId = new Map<string, FoundModel>();
    for (const one of (await Promise.all(lists)).flat()) {
      const key = one.model.id.toLowerCase();
      if (!byId.has(key) && byId.size < MODELS_MAX) byId.set(key, one);
    }
    return [...byId.values()];
  }

  /** The model with a name, in any case, with or without `hf/` and a quantization. */
  async find(name: string): Promise<FoundModel | undefined> {
    const key = name.toLowerCase();
    const base = key.split(":")[0] ?? key;
    const keys = [key, `hf/${key}`, ...(base.startsWith("ollama/") ? [] : [base, `hf/${base}`])];
    return (await this.list()).find(({ model: { id }, aliases }) => {
      return [id, ...aliases].some((one) => keys.includes(one.toLowerCase()));
    });
  }
}
