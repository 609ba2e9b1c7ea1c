import { join } from "node:path";
import { HUB_PREFIX, parseModelName } from "../model/name.ts";
import { distinctQuantizations, isSameQuantization } from "../model/quantization.ts";
import { ApiError } from "../wire/error.ts";
import { takeLock } from "./filelock.ts";
import { hasWeights, readFolder, type StoredFile } from "./foldercontent.ts";
import { looseModels } from "./loosemodels.ts";
import { MetadataCache } from "./metadatacache.ts";
import { findModelFolder, type ModelFolder, walkModelFolders } from "./modelfolder.ts";
import {
  type ModelRecord,
  PENDING_NAME,
  RECORD_NAME,
  readRecord,
  writeRecord,
} from "./modelrecord.ts";
import { removeFiles, removeModelFolder, removeSyncedFiles, removing } from "./modelremoval.ts";
import { removeQuantization } from "./quantizationremoval.ts";
import { describeModel, type StoredModel } from "./storedmodel.ts";

/** A folder whose files are no model, and why. */
export interface UnusableFolder {
  id: string;
  folder: string;
  reason: string;
}

export interface StoreListing {
  models: StoredModel[];
  unusable: UnusableFolder[];
  /** The records of all these folders, by id. */
  records: Map<string, ModelRecord>;
}

/** A whole file whose SHA-256 was verified. */
export interface VerifiedFile {
  /** Absolute path. */
  path: string;
  sizeBytes: number;
  sha256: string;
}

/** The models folder of a node. Reads the disk each time: others may change it at any moment. */
export class ModelStore {
  /** Absolute path of the models folder; it need not exist. */
  readonly root: string;
  readonly #metadata = new MetadataCache();
  readonly #platform: string;

  constructor(root: string, platform: string = process.platform) {
    this.root = root;
    this.#platform = platform;
  }

  /** All models, as `find` finds them by their ids, and the folders whose files are no model. */
  async list(): Promise<StoreListing> {
    const listing: StoreListing = { models: [], unusable: [], records: new Map() };
    const ids = new Set<string>();
    for await (const place of this.#places()) {
      const { id, folder } = place;
      const files = await filesOf(place);
      if (ids.has(id) || !hasWeights(files)) continue;
      ids.add(id);
      if (place.record !== undefined) listing.records.set(id, place.record);
      const model = await this.#describe(place, files);
      if (typeof model === "string") listing.unusable.push({ id, folder, reason: model });
      else listing.models.push(model);
    }
    return listing;
  }

  /** Ids of models whose pull runs or has failed; `synced`: sync started it, not a person. */
  async pendingModels(): Promise<{ id: string; synced: boolean }[]> {
    const found: { id: string; synced: boolean }[] = [];
    for await (const { id, folder } of walkModelFolders(this.root)) {
      const pending = await readRecord(folder, PENDING_NAME);
      if (pending === undefined) continue;
      found.push({ id, synced: pending.files.some(({ placed_by: by }) => by === "sync") });
    }
    return found;
  }

  /**
   * The model with a name, e.g. `org/name:Q4_K_M`; undefined if it has no folder. An id without a
   * folder is looked for as `hf/…`, too. Throws 400 `invalid_model_id`, and 404 with the reason if
   * the folder's files are no model.
   */
  async find(name: string): Promise<StoredModel | undefined> {
    const { id, quantization } = parseModelName(name);
    const place = await this.modelFolder(id);
    if (place === undefined) return undefined;
    const model = await this.#describe(place, await filesOf(place), quantization);
    if (typeof model !== "string") return model;
    const message = `The model ${name} cannot be used as it is stored: ${model}.`;
    throw new ApiError("model_not_found", message, { code: "model_incomplete", param: "model" });
  }

  /** The other quantizations of a stored model that are whole in its folder. */
  async otherQuantizations({ id, format, folder, quantization }: StoredModel) {
    if (format !== "gguf") return [];
    const { files } = await readFolder(folder);
    const others: StoredModel[] = [];
    for (const other of distinctQuantizations(files.map(({ name }) => name))) {
      if (isSameQuantization(other, quantization)) continue;
      const found = await this.find(`${id}:${other}`).catch((error: unknown) => {
        if (error instanceof ApiError) return undefined; // It is a projector's, for example.
        throw error;
      });
      if (found !== undefined) others.push(found);
    }
    return others;
  }

  /** The folder of a model, complete or not. Throws 400 `invalid_model_id`. */
  async modelFolder(id: string): Promise<ModelFolder | undefined> {
    const { id: plain } = parseModelName(id);
    const found = await findModelFolder(this.root, plain);
    if (found !== undefined || id.startsWith(HUB_PREFIX)) return found;
    const key = plain.toLowerCase();
    const loose = (await looseModels(this.root)).find((one) => one.id.toLowerCase() === key);
    return loose ?? findModelFolder(this.root, HUB_PREFIX + plain);
  }

  /**
   * Removes a model with its folder, and parents that are empty then; models in folders below it
   * stay. False if there is none. Throws 400 `invalid_model_id`, and 409 if the folder is reached
   * through a link out of the models folder, or cannot be written.
   */
  async remove(id: string): Promise<boolean> {
    const place = await this.modelFolder(id);
    if (place === undefined) return false;
    await removing(id, this.root, () => {
      const { folder, files } = place;
      return files === undefined
        ? removeModelFolder(this.root, folder)
        : removeFiles(files.map((name) => join(folder, name)));
    });
    return true;
  }

  /**
   * Removes one quantization of a model, and the model if it has no other. False if there is none.
   * Throws as `remove` does, and 409 if the folder is a link.
   */
  async removeQuantization(
    id: string,
    quantization: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const model = await this.find(`${id}:${quantization}`).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
    if (model === undefined) return false;
    // It is all that there is of the model.
    if (model.folder === this.root) return await this.remove(id);
    const { folder, weights } = model;
    const files = weights.map(({ name }) => name);
    const what = { root: this.root, folder, files, quantization, signal };
    await removing(`${id}:${quantization}`, this.root, () => removeQuantization(what));
    return true;
  }

  /**
   * Removes the files of a model that sync put there and nobody has changed since. Returns their
   * names. Throws as `remove` does.
   */
  async removeSynced(id: string): Promise<string[]> {
    const place = await this.modelFolder(id);
    if (place === undefined || place.files !== undefined) return [];
    return await removing(id, this.root, () => removeSyncedFiles(this.root, place.folder));
  }

  /** Sets the chat template in the record of a model; undefined removes it. */
  async setTemplate(id: string, template: string | undefined, signal: AbortSignal): Promise<void> {
    const place = await this.modelFolder(id);
    if (place === undefined || place.files !== undefined) return;
    const lock = await takeLock(join(place.folder, `${RECORD_NAME}.lock`), { signal });
    try {
      const record = await readRecord(place.folder);
      if (record === undefined) return;
      const { chat_template: _, ...rest } = record;
      const templates = template === undefined ? {} : { chat_template: template };
      await writeRecord(place.folder, { ...rest, ...templates });
    } finally {
      await lock.release();
    }
  }

  /**
   * A file of a model that may be sent to another node: one that was verified and has not changed
   * since. Undefined if there is none. Throws 400 `invalid_model_id`.
   */
  async verifiedFile(id: string, name: string): Promise<VerifiedFile | undefined> {
    const place = await this.modelFolder(id);
    const recorded = place?.record?.files.find((file) => file.name === name);
    if (place === undefined || recorded?.sha256 == null) return undefined;
    const { files } = await readFolder(place.folder);
    const stored = files.find((file) => file.name === name);
    const { path, sizeBytes, mtimeMs } = stored ?? {};
    if (path === undefined || sizeBytes !== recorded.size_bytes) return undefined;
    return mtimeMs === recorded.mtime_ms ? { path, sizeBytes, sha256: recorded.sha256 } : undefined;
  }

  /** The folders of all models, and those models that lie directly in the models folder. */
  async *#places(): AsyncGenerator<ModelFolder> {
    yield* walkModelFolders(this.root);
    yield* await looseModels(this.root);
  }

  #describe(
    { id, folder, record }: ModelFolder,
    files: StoredFile[],
    quantization?: string,
  ): Promise<StoredModel | string> {
    return describeModel({
      id,
      folder,
      files,
      record,
      quantization,
      metadata: this.#metadata,
      platform: this.#platform,
    });
  }
}

/** The files that belong to the model of a folder. */
async function filesOf({ folder, files: own }: ModelFolder): Promise<StoredFile[]> {
  const { files } = await readFolder(folder);
  return own === undefined ? files : files.filter(({ name }) => own.includes(name));
}
