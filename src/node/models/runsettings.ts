import { dirname, isAbsolute, join } from "node:path";
import type { ModelSetting } from "../../config/values/model.ts";
import { parseKeepAlive } from "../../wire/keepalive.ts";
import { type RunSettings, settingArguments, withFiles } from "../../wire/runsettings.ts";
import { joinArguments } from "../supervisor/argumentlist.ts";
import type { ServedModel } from "./catalog.ts";

/** The settings of models by their names, from config.json. */
export type NamedSettings = readonly Pick<ModelSetting, "id" | "settings">[];

/**
 * A model with settings for it: their arguments follow its own and win. Names of files without a
 * folder mean files beside `path`, the model's own file.
 */
export function withSettings(
  model: ServedModel,
  settings: RunSettings | undefined,
  path: string,
): ServedModel {
  if (settings === undefined) return model;
  const beside = (file: string) => (isAbsolute(file) ? file : join(dirname(path), file));
  const args = joinArguments(model.args, settingArguments(withFiles(settings, beside)));
  const keepAliveMs = parseKeepAlive(settings.keep_alive);
  return {
    ...model,
    args,
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
    ...(settings.workers === undefined ? {} : { workers: settings.workers }),
    ...(settings.pin === undefined ? {} : { isPinned: settings.pin }),
    ...(settings.fit === undefined ? {} : { fit: settings.fit }),
  };
}

/** What settings say of how a model runs, as a text: with another one, engines must end. */
export function settledText(model: ServedModel): string {
  const { args, keepAliveMs, isPinned, fit, workers } = model;
  return [...args, keepAliveMs, isPinned, fit, workers].join("\n");
}

/**
 * The settings that config.json has for a model: those for one of its names win over those for its
 * name without the quantization.
 */
export function settingsFor(
  { id, aliases = [] }: Pick<ServedModel, "id" | "aliases">,
  named: NamedSettings,
): RunSettings | undefined {
  const names = new Set([id, ...aliases].map((one) => one.toLowerCase()));
  const bases = new Set([...names].map((one) => one.split(":", 1)[0]));
  const own = named.filter((one) => names.has(one.id.toLowerCase()));
  const general = named.filter((one) => !own.includes(one) && bases.has(one.id.toLowerCase()));
  const found = [...general, ...own].flatMap(({ settings }) => settings ?? []);
  return found.length === 0 ? undefined : Object.assign({}, ...found);
}
