import { join } from "node:path";
import { readFolder } from "../foldercontent.ts";
import type { MetadataCache } from "../metadatacache.ts";
import { type FoundModel, modelInFolder } from "./foundmodel.ts";

/** The GGUF models in LM Studio's folder, `org/name/file.gguf`, as `hf/org/name`. */
export async function modelsOfLmStudio(
  root: string,
  metadata: MetadataCache,
): Promise<FoundModel[]> {
  const found: FoundModel[] = [];
  for (const org of (await readFolder(root)).folders) {
    for (const name of (await readFolder(join(root, org))).folders) {
      const place = { owner: "LM Studio", metadata } as const;
      const model = await modelInFolder(`hf/${org}/${name}`, join(root, org, name), place);
      if (model !== undefined) found.push(model);
    }
  }
  return found;
}
