import { join } from "node:path";
import { parseModelName } from "../model/name.ts";
import { ApiError } from "../wire/error.ts";
import { describeModel, type StoredModel } from "./descriptor.ts";
import { Headers, hasWeights, readFolder, type StoredFile } from "./folder.ts";
import { findModelFolder, type ModelFolder, walkModelFolders } from "./folders.ts";
import { takeLock } from "./pull/lock.ts";
import { removeQuantization } from "./quantizationremoval.ts";
import { type ModelRecord, PENDING_NAME, RECORD_NAME, readRecord, writeRecord } from "./record.ts";
import { removeFiles, removeModel } from "./removal.ts";

/** A folder with files that make no model, and why. */
export interface Unusable {
  id: string;
  folder: string;
  reason: string;
}

export interface Listing {
  models: StoredModel[];
  unusable: Unusable[];
  /** What is recorded beside the files, by id, of both. */
  records: Map<string, ModelRecord>;
}

/** A whole, verified file. */
export interface VerifiedFile {
  /** Absolute. */
  path: string;
  sizeBytes: number;
  /** What was verified. */
  sha256: string;
}

/** The models folder of a node. Nothing is remembered: what is on disk is what there is. */
export class Store {
  /** Absolute path of the models folder; it need not exist. */
  readonly root: string;
  readonly #headers = new Headers();
  readonly #platform: string;

  constructor(root: string, platform: string = process.platform) {
    this.root = root;
    this.#platform = platform;
  }

  /** Every model that `find` finds under its id, and folders that look like one but are none. */
  async list(): Promise<Listing> {
    const listing: Listing = { models: [], unusable: [], records: new Map() };
    const ids = new Set<string>();
    for await (const place of walkModelFolders(this.root)) {
      const { id, folder } = place;
      const { files } = await readFolder(folder);
      if (ids.has(id) || !hasWeights(files)) continue;
      ids.add(id);
      if (place.record !== undefined) listing.records.set(id, place.record);
      const model = await this.#describe(place, files);
      if (typeof model === "string") listing.unusable.push({ id, folder, reason: model });
      else listing.models.push(model);
    }
    return listing;
  }

  /** Ids of models that are being fetched, or were when their pull ended, with who wanted them. */
  async begun(): Promise<{ id: string; synced: boolean }[]> {
    const found: { id: string; synced: boolean }[] = [];
    for await (const { id, folder } of walkModelFolders(this.root)) {
      const pending = await readRecord(folder, PENDING_NAME);
      if (pending === undefined) continue;
      found.push({ id, synced: pending.files.some(({ placed_by: by }) => by === "sync") });
    }
    return found;
  }

  /**
   * The model with a name, e.g. `org/name:Q4_K_M`; undefined if there is no such folder. An id that
   * is not there is also looked for as `hf/…`. Throws 400 `invalid_model_id`, and 404 with the
   * reason if the folder's files make no model.
   */
  async find(name: string): Promise<StoredModel | undefined> {
    const { id, quantization } = parseModelName(name);
    const place = await this.place(id);
    if (place === undefined) return undefined;
    const { files } = await readFolder(place.folder);
    const model = await this.#describe(place, files, quantization);
    if (typeof model !== "string") return model;
    const message = `The model ${name} cannot be used as it is stored: ${model}.`;
    throw new ApiError("model_not_found", message, { code: "model_incomplete", param: "model" });
  }

  /** The folder of a model, complete or not. Throws 400 `invalid_model_id`. */
  async place(id: string): Promise<ModelFolder | undefined> {
    const found = await findModelFolder(this.root, parseModelName(id).id);
    if (found !== undefined || id.startsWith("hf/")) return found;
    return findModelFolder(this.root, `hf/${id}`);
  }

  /**
   * Removes a model, its folder and parents that are empty then; models in folders below it stay.
   * True if there was one. Throws 400 `invalid_model_id`, and 409 if the folder lies elsewhere.
   */
  async remove(id: string): Promise<boolean> {
    const place = await this.place(id);
    if (place === undefined) return false;
    await removeModel(this.root, place.folder);
    return true;
  }

  /**
   * Removes one quantization of a model, and the model if it has no other. False if there is none.
   * Throws as `remove` does, and 409 if the folder is a link.
   */
  async removeOne(id: string, quantization: string, signal: AbortSignal): Promise<boolean> {
    const model = await this.find(`${id}:${quantization}`).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
    if (model === undefined) return false;
    const { folder, weights } = model;
    const files = weights.map(({ name }) => name);
    await removeQuantization({ root: this.root, folder, files, quantization, signal });
    return true;
  }

  /**
   * Removes of a model what sync put there and nobody changed since, and no more. Returns the names
   * of the files. Throws as `remove` does.
   */
  async removeSynced(id: string): Promise<string[]> {
    const place = await this.place(id);
    return place === undefined ? [] : removeFiles(this.root, place.folder);
  }

  /** Takes a chat template for a model, or none, in place of what its record says. */
  async setTemplate(id: string, template: string | undefined, signal: AbortSignal): Promise<void> {
    const place = await this.place(id);
    if (place === undefined) return;
    const lock = await takeLock(join(place.folder, `${RECORD_NAME}.lock`), { signal });
    try {
      const record = await readRecord(place.folder);
      if (record === undefined) return;
      const { chat_template: _, ...rest } = record;
      const given = template === undefined ? {} : { chat_template: template };
      await writeRecord(place.folder, { ...rest, ...given });
    } finally {
      await lock.release();
    }
  }

  /**
   * A file of a model that may be sent to another node: only one that was verified, and is as it
   * was then. Undefined if there is none. Throws 400 `invalid_model_id`.
   */
  async verified(id: string, name: string): Promise<VerifiedFile | undefined> {
    const place = await this.place(id);
    const known = place?.record?.files.find((file) => file.name === name);
    if (place === undefined || known?.sha256 == null) return undefined;
    const { files } = await readFolder(place.folder);
    const stored = files.find((file) => file.name === name);
    const { path, sizeBytes, mtimeMs } = stored ?? {};
    if (path === undefined || sizeBytes !== known.size_bytes) return undefined;
    return mtimeMs === known.mtime_ms ? { path, sizeBytes, sha256: known.sha256 } : undefined;
  }

  #describe(
    { id, folder, record }: ModelFolder,
    files: StoredFile[],
    quantization?: string,
  ): Promise<StoredModel | string> {
    const headers = this.#headers;
    return describeModel({
      id,
      folder,
      files,
      record,
      quantization,
      headers,
      platform: this.#platform,
    });
  }
}
