import { existsSync } from "node:fs";
import { ConfigError } from "../../config/error.ts";
import type { Settings } from "../../config/settings.ts";
import { modelsWithFiles } from "../../config/values/model.ts";
import { checkArguments } from "../../engine/argumentcheck.ts";
import type { Logger } from "../../lib/log.ts";

/** Throws `ConfigError` for a model file that does not exist. */
export function requireModelFiles({ models }: Pick<Settings, "models">): void {
  for (const { id, path, mmproj } of modelsWithFiles(models)) {
    for (const file of mmproj === undefined ? [path] : [path, mmproj]) {
      if (existsSync(file)) continue;
      throw new ConfigError(`model ${id}: there is no file ${file}`);
    }
  }
}

/** Throws `ConfigError` for a model whose `args` llama.cpp would refuse. */
export async function requireModelArguments(settings: Settings, log: Logger): Promise<void> {
  for (const { id, settings: { args = [] } = {} } of settings.models) {
    const problem = await checkArguments(args, { home: settings.home, log });
    if (problem === undefined) continue;
    throw new ConfigError(`model ${id}: args ${args.join(" ")}: ${problem}`);
  }
}
