import type { Settings } from "../../config/settings.ts";
import { type FileModel, modelsWithFiles } from "../../config/values/model.ts";
import { ApiError } from "../../wire/error.ts";
import type { ServedModel } from "./catalog.ts";
import { type ModelFiles, modelFilesReader } from "./modelfiles.ts";
import { settingsFor, withSettings } from "./runsettings.ts";
import { TINY_MODEL_ARGS, TINY_MODEL_ID, tinyModelFinder } from "./tiny.ts";

/**
 * The models that the settings name. The built-in model is added in standalone mode and when the
 * settings name none, unless one of them has its name, or the node is there to lend its devices.
 */
export function configuredModels({ mode, models, home, rpcWorker }: Settings): ServedModel[] {
  const named = modelsWithFiles(models).map(modelOfSetting);
  const withTiny = mode === "standalone" || (named.length === 0 && !rpcWorker);
  if (!withTiny || named.some(({ id }) => id === TINY_MODEL_ID)) return named;
  const tiny = tinyModel(home);
  return [...named, withSettings(tiny, settingsFor(tiny, models), home)];
}

function modelOfSetting({ id, path, mmproj, settings }: FileModel): ServedModel {
  const model = { id, args: [], locate: modelFilesReader(path, mmproj) };
  return withSettings(model, settings, path);
}

function tinyModel(home: string): ServedModel {
  const find = tinyModelFinder(home);
  let read: (() => Promise<ModelFiles>) | undefined;
  return {
    id: TINY_MODEL_ID,
    args: TINY_MODEL_ARGS,
    locate: async () => {
      const { path, mmproj } = await find().catch((cause: unknown) => {
        const message = `Copying the built-in model to ${home} failed: is the folder writable, \
and is there space left?`;
        throw new ApiError("model_load_failed", message, { cause });
      });
      read ??= modelFilesReader(path, mmproj);
      return read();
    },
  };
}
