import { stat } from "node:fs/promises";
import { partPathsOf } from "../../model/splitfile.ts";
import type { ServedModel } from "./catalog.ts";

interface KnownSize {
  fingerprint: string;
  /** 0: unknown. */
  bytes: number;
}

const UNKNOWN: KnownSize = { fingerprint: "", bytes: 0 };

/** A look at all files takes time, and whoever asks may ask often. */
const LOOK_INTERVAL_MS = 10_000;

/** The sizes of models' files, which are looked at again only when the files have changed. */
export class ModelSizes {
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #known = new Map<string, KnownSize>();

  /**
   * Looks at the files of all models if one is new or the last look is 10 s ago; models that are
   * gone are forgotten. Never throws.
   */
  async refresh(models: readonly ServedModel[]): Promise<void> {
    const isRecent = performance.now() - this.#lookedAtMs < LOOK_INTERVAL_MS;
    if (isRecent && models.every(({ id }) => this.#known.has(id))) return;
    this.#lookedAtMs = performance.now();
    const sizes = await Promise.all(models.map((model) => this.#read(model)));
    this.#known = new Map(models.map(({ id }, i) => [id, sizes[i] ?? UNKNOWN]));
  }

  /** The size of a model's files in bytes as of the last refresh; undefined if they are missing. */
  of(modelId: string): number | undefined {
    const bytes = this.#known.get(modelId)?.bytes ?? 0;
    return bytes > 0 ? bytes : undefined;
  }

  async #read(model: ServedModel): Promise<KnownSize | undefined> {
    const files = await model.locate().catch(() => undefined);
    const known = this.#known.get(model.id);
    if (files === undefined || files.fingerprint === known?.fingerprint) return known;
    const { path, mmproj, fingerprint } = files;
    const paths = [...partPathsOf(path), ...(mmproj === undefined ? [] : [mmproj])];
    return { fingerprint, bytes: await bytesOfFiles(paths) };
  }
}

/** The size of these files together. Those that cannot be read count nothing. */
export async function bytesOfFiles(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    paths.map(async (file) => (await stat(file).catch(() => undefined))?.size ?? 0),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
