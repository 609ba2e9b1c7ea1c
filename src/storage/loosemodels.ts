import { isGguf } from "../model/filename.ts";
import { ggufRole } from "../model/ggufrole.ts";
import { isModelId } from "../model/name.ts";
import { groupParts } from "../model/splitfile.ts";
import { readFolder } from "./foldercontent.ts";
import type { ModelFolder } from "./modelfolder.ts";

/**
 * The models whose GGUF files lie directly in the models folder, where people lay them first: each
 * has the name of its file for an id. What lies beside them (projectors) belongs to none.
 */
export async function looseModels(root: string): Promise<ModelFolder[]> {
  const { files } = await readFolder(root);
  const weights = files.filter(({ name }) => isGguf(name) && ggufRole(name) === "model");
  return groupParts(weights, ({ name }) => name).flatMap(({ stem: id, files: parts }) => {
    const names = parts.map(({ name }) => name);
    return isModelId(id) ? [{ id, folder: root, record: undefined, files: names }] : [];
  });
}
