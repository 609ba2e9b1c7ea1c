import { existsSync } from "node:fs";
import { ConfigError } from "../../config/error.ts";
import type { Settings } from "../../config/settings.ts";
import { modelsWithFiles } from "../../config/values/model.ts";
import { checkArguments } from "../../engine/argumentcheck.ts";
import { deviceArguments } from "../../engine/devicenames.ts";
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

/** Throws `ConfigError` for `args` of a model that llama.cpp refuses, and for unknown devices. */
export async function requireModelArguments(settings: Settings, log: Logger): Promise<void> {
  const { home, models, engineArgs } = settings;
  const check = async (what: string, args: string[]) => {
    const problem = await checkArguments(args, { home, log });
    if (problem !== undefined) throw new ConfigError(`${what} ${args.join(" ")}: ${problem}`);
  };
  for (const { id, settings: { device, args = [] } = {} } of models) {
    if (device !== undefined) await check(`model ${id}:`, ["--device", String(device)]);
    await check(`model ${id}: args`, args);
  }
  await check("The arguments of llama-server", deviceArguments(engineArgs));
}
