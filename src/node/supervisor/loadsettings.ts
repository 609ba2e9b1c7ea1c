import type { RunSettings } from "../../wire/runsettings.ts";
import type { ServedModel } from "../models/catalog.ts";
import { settledText, withSettings } from "../models/runsettings.ts";

/** The settings of one model, and where the files that they name lie. */
interface Entry {
  settings: RunSettings;
  /** The model's own file. */
  path: string;
}

/** What it changed that a load has set a model's settings. */
interface LoadSettingsChange {
  /** The model runs in another way from now on. */
  isOther: boolean;
  /** Takes it back, unless somebody has set others since. Returns whether that changes anything. */
  takeBack(): boolean;
}

/**
 * The settings of models that loads have set. They come after those of config.json and before the
 * operator's arguments, and hold until they are deleted: when the model is unloaded by request, is
 * gone, or the node ends. They are kept when an engine ends for another reason, so that the model
 * is loaded again as it was.
 */
export class LoadSettings {
  readonly #entries = new Map<string, Entry>();

  /** Those of a model; undefined: no load has set any. */
  of(modelId: string): RunSettings | undefined {
    return this.#entries.get(modelId)?.settings;
  }

  /** A model with its settings. */
  applyTo(model: ServedModel): ServedModel {
    const entry = this.#entries.get(model.id);
    return entry === undefined ? model : withSettings(model, entry.settings, entry.path);
  }

  /** Replaces the settings of a model; none: it runs as it is set up. */
  async set(model: ServedModel, settings: RunSettings): Promise<LoadSettingsChange> {
    const { path } = await model.locate();
    const { id } = model;
    const before = this.#entries.get(id);
    const after = Object.keys(settings).length === 0 ? undefined : { settings, path };
    const textBefore = settledText(this.applyTo(model));
    this.#put(id, after);
    const isOther = settledText(this.applyTo(model)) !== textBefore;
    const takeBack = () => {
      if (this.#entries.get(id) !== after) return false;
      this.#put(id, before);
      return isOther;
    };
    return { isOther, takeBack };
  }

  /** Returns whether there were any. */
  delete(modelId: string): boolean {
    return this.#entries.delete(modelId);
  }

  #put(id: string, entry: Entry | undefined): void {
    if (entry === undefined) this.#entries.delete(id);
    else this.#entries.set(id, entry);
  }
}
