import { z } from "zod";

/** A file of a repository, as the hub lists it. */
export const RepoFile = z.object({
  path: z.string(),
  size: z.number(),
  /** Of a file in Git LFS; else null. */
  sha256: z.string().nullable(),
  /** Of a file in git itself; else null. */
  gitOid: z.string().nullable(),
});
export type RepoFile = z.infer<typeof RepoFile>;

/** A repository at one commit. */
export const RepoSnapshot = z.object({
  /** As the hub spells it. */
  repo: z.string(),
  /** A commit. */
  revision: z.string(),
  private: z.boolean(),
  gated: z.union([z.literal(false), z.string()]),
  downloads: z.number(),
  likes: z.number(),
  tags: z.array(z.string()),
  pipelineTag: z.string().nullable(),
  lastModified: z.string().nullable(),
  architectures: z.array(z.string()),
  chatTemplate: z.string().nullable(),
  contextLength: z.number().nullable(),
  files: z.array(RepoFile),
});
export type RepoSnapshot = z.infer<typeof RepoSnapshot>;

const Texts = z.array(z.string()).catch([]);
const Count = z.number().nonnegative().catch(0);
/** Some models have several templates, each with a name. */
const Template = z
  .union([
    z.string(),
    z
      .array(z.looseObject({ name: z.string(), template: z.string() }))
      .transform((list) => (list.find(({ name }) => name === "default") ?? list[0])?.template),
  ])
  .optional()
  .catch(undefined);

/** The fields used of `GET /api/models/{repo}`, as `modelInfo` of `@huggingface/hub` returns it. */
export const HubModelInfo = z.looseObject({
  name: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
  sha: z.string().regex(/^[0-9a-f]{40,64}$/),
  private: z.boolean().catch(false),
  gated: z.union([z.literal(false), z.string()]).catch(false),
  downloads: Count,
  likes: Count,
  tags: Texts,
  task: z.string().nullable().catch(null),
  updatedAt: z.date().optional().catch(undefined),
  config: z
    .looseObject({
      architectures: Texts,
      chat_template_jinja: z.string().optional().catch(undefined),
      tokenizer_config: z.looseObject({ chat_template: Template }).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  gguf: z
    .looseObject({
      architecture: z.string().optional().catch(undefined),
      context_length: z.number().optional().catch(undefined),
      chat_template: z.string().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});
export type HubModelInfo = z.infer<typeof HubModelInfo>;

/** The fields used of an entry in `GET /api/models/{repo}/tree/…`. */
export const TreeEntry = z.looseObject({
  type: z.string(),
  path: z.string(),
  size: z.number().nonnegative(),
  oid: z.string().optional(),
  lfs: z.looseObject({ oid: z.string(), size: z.number().nonnegative() }).optional(),
});
export type TreeEntry = z.infer<typeof TreeEntry>;

/** Files that repositories keep in LFS at any size. */
const IN_LFS = /\.(?:gguf|safetensors|bin|onnx|pt|pth)$/i;

/** The file that an entry of a tree is; undefined for a folder. */
export function fileOf({ type, path, size, oid, lfs }: TreeEntry): RepoFile | undefined {
  if (type !== "file") return undefined;
  const sha256 = lfs !== undefined && /^[0-9a-f]{64}$/.test(lfs.oid) ? lfs.oid : null;
  // Of weights git has a pointer only: a mirror that does not tell of LFS tells that one's id.
  const isInGit = lfs === undefined && !IN_LFS.test(path);
  const gitOid = isInGit && /^[0-9a-f]{40}$/.test(oid ?? "") ? (oid ?? null) : null;
  return { path, size: lfs?.size ?? size, sha256, gitOid };
}

/** The snapshot that the hub's two answers make together. */
export function snapshotOf(info: HubModelInfo, files: RepoFile[]): RepoSnapshot {
  const { config, gguf } = info;
  const architecture = gguf?.architecture;
  return {
    repo: info.name,
    revision: info.sha,
    private: info.private,
    gated: info.gated,
    downloads: info.downloads,
    likes: info.likes,
    tags: info.tags.slice(0, 200),
    pipelineTag: info.task,
    lastModified: info.updatedAt?.toISOString() ?? null,
    architectures: config?.architectures ?? (architecture === undefined ? [] : [architecture]),
    chatTemplate:
      config?.chat_template_jinja ??
      config?.tokenizer_config?.chat_template ??
      gguf?.chat_template ??
      null,
    contextLength: gguf?.context_length ?? null,
    files,
  };
}

/** The file with the chat template; undefined if there is none, or the hub tells the template. */
export function templateFileOf({ chatTemplate, files }: RepoSnapshot): RepoFile | undefined {
  if (chatTemplate !== null) return undefined;
  const named = (name: string) => files.find(({ path }) => path === name);
  return named("chat_template.jinja") ?? named("tokenizer_config.json");
}

/** The small files that must be read to know which files the model needs. */
export function smallFilesOf(snapshot: RepoSnapshot): RepoFile[] {
  const { files } = snapshot;
  const indexes = files.filter(({ path }) => /^[^/]+\.safetensors\.index\.json$/i.test(path));
  const template = templateFileOf(snapshot);
  return [...indexes, ...(template === undefined ? [] : [template])];
}
