import { isGguf } from "../model/filename.ts";
import { GgufFormatError, type GgufMetadata } from "../model/gguf.ts";
import { readGgufFile } from "../model/ggufreader.ts";
import { type GgufRole, ggufRoleIn } from "../model/ggufrole.ts";
import type { StoredFile } from "./foldercontent.ts";

const FILES_MAX = 1000;

/** The metadata of GGUF files, read again only when a file's size or time has changed. */
export class MetadataCache {
  readonly #byPath = new Map<string, { mark: string; metadata: GgufMetadata | undefined }>();

  /** The metadata of a file; undefined if it cannot be read. */
  async of({ path, sizeBytes, mtimeMs }: StoredFile): Promise<GgufMetadata | undefined> {
    const mark = `${sizeBytes} ${mtimeMs}`;
    const cached = this.#byPath.get(path);
    if (cached?.mark === mark) return cached.metadata;
    const metadata = await readGgufFile(path).catch((error: unknown) => {
      if (error instanceof GgufFormatError || isFileError(error)) return undefined;
      throw error;
    });
    if (this.#byPath.size >= FILES_MAX) this.#byPath.clear();
    this.#byPath.set(path, { mark, metadata });
    return metadata;
  }

  /** What a GGUF file is for: as its metadata says, else as its name does. */
  async roleOf(file: StoredFile): Promise<GgufRole> {
    return ggufRoleIn(file.name, await this.of(file));
  }
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}

/** The GGUF files of a folder, by what they are for. A drafter alone is run as a model. */
export async function sortByRole(
  files: StoredFile[],
  metadata: MetadataCache,
): Promise<Record<GgufRole, StoredFile[]>> {
  const roles: Record<GgufRole, StoredFile[]> = {
    ...{ model: [], projector: [], adapter: [] },
    ...{ drafter: [], imatrix: [], vocabulary: [], other: [] },
  };
  for (const file of files) {
    if (isGguf(file.name)) roles[await metadata.roleOf(file)].push(file);
  }
  return roles.model.length > 0 ? roles : { ...roles, model: roles.drafter, drafter: [] };
}
