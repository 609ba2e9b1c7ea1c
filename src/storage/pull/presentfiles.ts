import { join } from "node:path";
import { localName } from "../../model/filename.ts";
import { directoryOf } from "../../model/name.ts";
import { type FileRecord, readRecord } from "../modelrecord.ts";
import { findExisting } from "./filepull.ts";
import { byName, type FolderClaimOptions, refuseOther } from "./folderclaim.ts";
import type { Progress } from "./progress.ts";

/** The files of a model that are in a folder which cannot be written. */
export interface PresentFiles {
  folder: string;
  files: FileRecord[];
  /** Names of optional files that are not there. */
  absent: string[];
}

/**
 * The files of a model, verified, if all that are needed are there; writes nothing. Undefined if
 * one is not there. Throws `PullError` if one differs, or the folder is another model's.
 */
export async function findPresentFiles(
  { root, manifest, files, placedBy, signal }: FolderClaimOptions,
  progress: Progress,
): Promise<PresentFiles | undefined> {
  const folder = join(root, directoryOf(manifest.model));
  const record = await readRecord(folder);
  refuseOther(manifest.model, folder, record?.id);
  const present: PresentFiles = { folder, files: [], absent: [] };
  for (const artifact of files) {
    const name = localName(artifact.filename);
    const found = await findExisting({
      ...{ artifact, name, path: join(folder, name), placedBy, signal },
      recorded: byName(record).get(name),
      onState: (state, bytes, total) => progress.file(name, state, bytes, total),
    });
    if (found !== undefined) present.files.push(found);
    else if (artifact.optional) present.absent.push(name);
    else return undefined;
  }
  return present;
}
