import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { LLAMA_CPP_VERSION } from "../../config/version.ts";
import { partPathsOf } from "../../model/splitfile.ts";

export interface EngineIdentity {
  /** The model's file; of a split one, the first. */
  path: string;
  mmproj?: string;
  /** That of the files when the engine was started (`ModelFiles`). */
  fingerprint: string;
  /** The engine's llama-server arguments, without those that llmlb chooses anew for each load. */
  args: readonly string[];
  /** The node's environment: llama.cpp takes arguments from it as well. */
  env: Record<string, string | undefined>;
}

/** Of the layout of the files (native/core). */
const LAYOUT = 1;

/**
 * Names what computes a prompt: the release of llama.cpp, the model's files, all arguments and the
 * files that these name (adapters, a draft model), each with its size and time. A prompt that was
 * kept under one name must never be read under another: llama.cpp itself checks little of it.
 */
export async function promptFingerprint(identity: EngineIdentity): Promise<string> {
  const { path, mmproj, fingerprint, args, env } = identity;
  const files = [...partPathsOf(path), ...(mmproj === undefined ? [] : [mmproj])];
  const named = args.filter((arg) => !arg.startsWith("-")).flatMap(pathsIn);
  const facts = await Promise.all([...files, ...named].map(factsOf));
  const variables = Object.entries(env).filter(([name]) => name.startsWith("LLAMA_"));
  const identified = [LAYOUT, LLAMA_CPP_VERSION, fingerprint, args, facts, variables.sort()];
  return createHash("sha256").update(JSON.stringify(identified)).digest("hex").slice(0, 32);
}

/** What may be paths in the value of an argument, e.g. in `a.gguf:0.5,b.gguf`. */
function pathsIn(value: string): string[] {
  return value.split(",").flatMap((part) => [part, part.replace(/:[\d.]+$/, "")]);
}

async function factsOf(path: string): Promise<[string, number, number] | [string]> {
  const file = await stat(path).catch(() => undefined);
  return file?.isFile() ? [path, file.size, file.mtimeMs] : [path];
}
