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
 * `HF_HOME`, `OLLAMA_MODELS`) and their usual places; nowhere if they are not to be looked at.
 */
export function sourceFolders(
  use: ModelSourceUse,
  env: Record<string, string | undefined>,
): SourceFolders {
  if (use === "none") return { hub: [], lmStudio: [], ollama: [] };
  const home = userFolder();
  const from = (variable: string | undefined) =>
    variable === undefined || variable === "" ? [] : [absolutePath(variable, home)];
  const cache = from(env.XDG_CACHE_HOME)[0] ?? join(home, ".cache");
  const [hubHome = join(cache, "huggingface")] = from(env.HF_HOME);
  const ownHub = from(env.HF_HUB_CACHE);
  const system = process.platform === "linux" ? ["/usr/share/ollama/.ollama/models"] : [];
  return {
    hub: ownHub.length > 0 ? ownHub : [join(hubHome, "hub")],
    lmStudio: [join(home, ".lmstudio/models"), join(home, ".cache/lm-studio/models")],
    ollama: [...from(env.OLLAMA_MODELS), join(home, ".ollama/models"), ...system],
  };
}
