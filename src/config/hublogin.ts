import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The file in which the hub's own tools keep the token of a login, where there is one. It is only
 * named to people: what is not set in a setting is sent nowhere.
 */
export function hubLoginFile(env: Record<string, string | undefined>): string | undefined {
  const file = env.HF_TOKEN_PATH || join(hubFolder(env), "token");
  return existsSync(file) ? file : undefined;
}

function hubFolder({ HF_HOME, XDG_CACHE_HOME, HOME }: Record<string, string | undefined>): string {
  return HF_HOME || join(XDG_CACHE_HOME || join(HOME || userHome(), ".cache"), "huggingface");
}

/** Where there is no home folder, there is no login either: the answer need not exist. */
function userHome(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}
