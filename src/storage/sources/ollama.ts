import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { familyOf } from "../../model/architecture.ts";
import { readFolder, type StoredFile } from "../foldercontent.ts";
import type { MetadataCache } from "../metadatacache.ts";
import type { FoundModel } from "./foundmodel.ts";

const Manifest = z.object({
  layers: z.array(z.object({ mediaType: z.string(), digest: z.string() })).max(100),
});

const MANIFEST_BYTES_MAX = 1024 * 1024;
const MODEL = "application/vnd.ollama.image.model";
const PROJECTOR = "application/vnd.ollama.image.projector";
/** The registry and the user that Ollama's names leave out. */
const [REGISTRY, USER] = ["registry.ollama.ai", "library"];

/**
 * The models in Ollama's store as `ollama/name:tag`, with `ollama/user/name:tag` for those of users
 * and the registry's host before that for other registries. Its templates and parameters are not
 * used: GGUF files have templates of their own.
 */
export async function modelsOfOllama(root: string, metadata: MetadataCache): Promise<FoundModel[]> {
  const found: FoundModel[] = [];
  const manifests = join(root, "manifests");
  for (const host of (await readFolder(manifests)).folders) {
    for (const user of (await readFolder(join(manifests, host))).folders) {
      for (const name of (await readFolder(join(manifests, host, user))).folders) {
        const { files } = await readFolder(join(manifests, host, user, name));
        const parts = [...(host === REGISTRY ? [] : [host]), ...(user === USER ? [] : [user])];
        const base = ["ollama", ...(host === REGISTRY ? parts : [host, user]), name].join("/");
        for (const manifest of files) {
          const model = await modelOf(`${base}:${manifest.name}`, manifest, { root, metadata });
          if (model === undefined) continue;
          found.push({ ...model, aliases: manifest.name === "latest" ? [base] : [] });
        }
      }
    }
  }
  return found;
}

async function modelOf(
  id: string,
  manifest: StoredFile,
  { root, metadata }: { root: string; metadata: MetadataCache },
): Promise<FoundModel | undefined> {
  if (manifest.sizeBytes > MANIFEST_BYTES_MAX) return undefined;
  const layers = layersOf(await readFile(manifest.path, "utf8").catch(() => ""));
  const blob = async (type: string) => {
    const digest = layers.find(({ mediaType }) => mediaType === type)?.digest;
    return digest === undefined ? undefined : await blobOf(root, digest);
  };
  const primary = await blob(MODEL);
  const header = primary && (await metadata.of(primary));
  if (primary === undefined || header === undefined) return undefined;
  const named = header.get("general.architecture");
  const architecture = typeof named === "string" ? named : undefined;
  return {
    owner: "Ollama",
    aliases: [],
    otherQuantizations: [],
    model: {
      ...{ id, format: "gguf", runtime: "llama_cpp", folder: join(root, "blobs"), primary },
      ...{ weights: [primary], projector: await blob(PROJECTOR), adapters: [] },
      // The tag may be one, and a name has one tag at most.
      quantization: undefined,
      architecture,
      family: architecture === undefined ? undefined : familyOf(architecture),
      capabilities: ["text", "embeddings"],
    },
  };
}

function layersOf(text: string): z.infer<typeof Manifest>["layers"] {
  try {
    return Manifest.parse(JSON.parse(text)).layers;
  } catch {
    return []; // Another kind of file, or a manifest of a later Ollama.
  }
}

async function blobOf(root: string, digest: string): Promise<StoredFile | undefined> {
  const [, hash] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
  if (hash === undefined) return undefined;
  const path = join(root, "blobs", `sha256-${hash}`);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return undefined;
  return { name: `sha256-${hash}`, path, sizeBytes: found.size, mtimeMs: found.mtimeMs };
}
