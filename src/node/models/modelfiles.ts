import { stat } from "node:fs/promises";
import {
  type Pooling,
  type ProjectorCapability,
  readPooling,
  readProjectorCapability,
} from "../../model/capability.ts";

/** A model's files as they are at this moment. */
export interface ModelFiles {
  /** Absolute path of the GGUF file. It may be missing: then starting an engine fails. */
  path: string;
  /** Absolute path of the multimodal projector. */
  mmproj?: string;
  /** Changes when a file appears, disappears or changes its size or time. */
  fingerprint: string;
  /** How the model makes a vector of a text; undefined for a model that generates text. */
  pooling: Pooling | undefined;
  /** Which media the projector makes the model read; undefined without a projector. */
  projector?: ProjectorCapability;
}

/** Returns a function that looks at a model's files. It reads them only when they have changed. */
export function modelFilesReader(
  path: string,
  mmproj: string | undefined,
): () => Promise<ModelFiles> {
  let last: ModelFiles | undefined;
  return async () => {
    const paths = mmproj === undefined ? [path] : [path, mmproj];
    const fingerprint = (await Promise.all(paths.map(fingerprintOf))).join("\n");
    if (last?.fingerprint === fingerprint) return last;
    const pooling = await readPooling(path);
    const extra =
      mmproj === undefined ? {} : { mmproj, projector: await readProjectorCapability(mmproj) };
    last = { path, ...extra, fingerprint, pooling };
    return last;
  };
}

async function fingerprintOf(path: string): Promise<string> {
  const file = await stat(path).catch(() => undefined);
  return file === undefined ? `${path} absent` : `${path} ${file.size} ${file.mtimeMs}`;
}
