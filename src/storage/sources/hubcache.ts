import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readFolder } from "../foldercontent.ts";
import type { MetadataCache } from "../metadatacache.ts";
import { type FoundModel, modelInFolder } from "./foundmodel.ts";

const REPO = /^models--([^-]+(?:-[^-]+)*)--(.+)$/;

/**
 * The GGUF models in a cache of the Hugging Face hub, as `hf/org/name`: of each repository the
 * revision that `main` is, else any. Files in folders of a repository are not looked at.
 */
export async function modelsOfHubCache(
  root: string,
  metadata: MetadataCache,
): Promise<FoundModel[]> {
  const found: FoundModel[] = [];
  const { folders } = await readFolder(root);
  for (const name of folders) {
    const [, org, repo] = REPO.exec(name) ?? [];
    if (org === undefined) continue;
    const snapshots = join(root, name, "snapshots");
    const revisions = (await readFolder(snapshots)).folders;
    const main = (await readFile(join(root, name, "refs/main"), "utf8").catch(() => "")).trim();
    const revision = revisions.includes(main) ? main : revisions.at(-1);
    if (revision === undefined) continue;
    const owner = "Hugging Face cache";
    const folder = join(snapshots, revision);
    const model = await modelInFolder(`hf/${org}/${repo}`, folder, { owner, metadata });
    if (model !== undefined) found.push(model);
  }
  return found;
}
