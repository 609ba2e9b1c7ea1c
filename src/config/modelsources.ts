import { join } from "node:path";
import type { ModelSourceUse } from "./fields/models.ts";
import { absolutePath, userFolder } from "./values/path.ts";

/** Folders in which other programs keep models; they need not exist. */
export interface SourceFolders {
  /** Caches of the Hugging Face hub, with `models--org--name` in them. */
  hub: string[];
  /** Folders with `org/name/file.gguf`, as LM Studio has them. */
  lmStudio: string[];
  /** Folders with `manifests` and `blobs`. */
  ollama: string[];
}

/**
 * Where the models of other programs lie, by these programs' own variables (`HF_HUB_CACHE`,
 * `HF_HOME`, `OLLAMA_MODELS`) and their usual places, as far as the user has a home folder; nowhere
 * if they are not to be looked at.
 */
export function sourceFolders(
  use: ModelSourceUse,
  env: Record<string, string | undefined>,
): SourceFolders {
  if (use === "none") return { hub: [], lmStudio: [], ollama: [] };
  const home = userFolderOrNone();
  const below = (path: string) => (home === undefined ? [] : [join(home, path)]);
  const from = (variable = "") =>
    variable === "" || (home === undefined && variable.startsWith("~"))
      ? []
      : [absolutePath(variable, home ?? "/")];
  const caches = first(from(env.XDG_CACHE_HOME), below(".cache"));
  const hubHomes = first(
    from(env.HF_HOME),
    caches.map((cache) => join(cache, "huggingface")),
  );
  const hubs = hubHomes.map((hubHome) => join(hubHome, "hub"));
  const system = process.platform === "linux" ? ["/usr/share/ollama/.ollama/models"] : [];
  return {
    hub: first(from(env.HF_HUB_CACHE), hubs),
    lmStudio: [...below(".lmstudio/models"), ...below(".cache/lm-studio/models")],
    ollama: [...from(env.OLLAMA_MODELS), ...below(".ollama/models"), ...system],
  };
}

/** The first of two lists that has anything. */
function first(wanted: string[], otherwise: string[]): string[] {
  return wanted.length > 0 ? wanted : otherwise;
}

/** Undefined in containers that run as a user without an entry in the password file, say. */
function userFolderOrNone(): string | undefined {
  try {
    return userFolder();
  } catch {
    return undefined;
  }
}
