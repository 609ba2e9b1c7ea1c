import { existsSync } from "node:fs";
import { effectiveSettings } from "../../../config/effective.ts";
import { envName } from "../../../config/fields/field.ts";
import { modelsFolder } from "../../../config/fields/hub.ts";
import type { Configuration } from "../../../config/precedence.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../../../config/version.ts";
import type { App } from "../../../http/server/app.ts";
import type { SettingsAnswer, SettingView, StorageAnswer } from "../../../wire/settings.ts";
import { describeFolders } from "./storage.ts";

/**
 * `GET /api/settings`: the settings in effect, where each comes from, and the versions;
 * `GET /api/settings/storage`: what takes how much room in the data folder.
 */
export function routeSettings(app: App, configuration: Configuration): void {
  const { settings, file, warnings } = configuration;

  app.get("/api/settings", function showSettings(c) {
    return c.json<SettingsAnswer>({
      settings: settingViews(configuration),
      ...{ file, file_exists: existsSync(file), warnings },
      versions: { llmlb: VERSION, bun: Bun.version, llama_cpp: LLAMA_CPP_VERSION },
      platform: `${process.platform}-${process.arch}`,
    });
  });

  app.get("/api/settings/storage", async function showStorage(c) {
    const folders = await describeFolders(settings.home, modelsFolder(settings));
    return c.json<StorageAnswer>({ folders });
  });
}

/** The settings as people may see them, in the order of the help. */
function settingViews(configuration: Configuration): SettingView[] {
  return effectiveSettings(configuration).map(({ field, text, origin }) => ({
    ...{ name: field.name, group: field.group, help: field.help, flags: field.flags ?? null },
    ...{ variable: envName(field), in_file: field.notInFile !== true },
    reload: field.reload === true,
    ...{ text, secret: field.secret === true, source: origin.source, from: origin.name },
  }));
}
