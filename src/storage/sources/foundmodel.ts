import { distinctQuantizations, isSameQuantization } from "../../model/quantization.ts";
import { readFolder } from "../foldercontent.ts";
import type { MetadataCache } from "../metadatacache.ts";
import { describeModel, type StoredModel } from "../storedmodel.ts";

/** A program whose models are used where they lie. */
export type SourceOwner = "Hugging Face cache" | "LM Studio" | "Ollama";

/** A model of another program, which is read only. */
export interface FoundModel {
  owner: SourceOwner;
  model: StoredModel;
  /** Other names of it. */
  aliases: string[];
  /** The other quantizations in the same folder. */
  otherQuantizations: StoredModel[];
}

/** Whose a model is, for people: follows "is". */
export function ownerText(owner: SourceOwner): string {
  return owner === "Hugging Face cache" ? `the ${owner}'s` : `${owner}'s`;
}

/** The GGUF model in a folder, with its quantizations; undefined if there is none. */
export async function modelInFolder(
  id: string,
  folder: string,
  { owner, metadata }: { owner: SourceOwner; metadata: MetadataCache },
): Promise<FoundModel | undefined> {
  const { files } = await readFolder(folder);
  const names = files.map(({ name }) => name);
  if (!names.some((name) => /\.gguf$/i.test(name))) return undefined;
  const options = { id, folder, files, record: undefined, metadata };
  const model = await describeModel(options);
  if (typeof model === "string" || model.runtime !== "llama_cpp") return undefined;
  // Its header cannot be read: nobody here has put it there to be told of it.
  if (model.architecture === undefined) return undefined;
  const found: FoundModel = { owner, model, aliases: [], otherQuantizations: [] };
  for (const quantization of distinctQuantizations(names)) {
    if (isSameQuantization(quantization, model.quantization)) continue;
    const other = await describeModel({ ...options, quantization });
    if (typeof other !== "string") found.otherQuantizations.push(other);
  }
  return found;
}
