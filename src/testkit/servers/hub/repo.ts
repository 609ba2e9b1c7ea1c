import { createHash } from "node:crypto";

/** What a file of the hub holds; a `Blob` may be a file on disk (`Bun.file`) of any size. */
export type FileContent = Uint8Array | Blob | string;

/** A repository to be put on the hub. */
export interface NewRepo {
  /** `org/name`; case matters. */
  name: string;
  files: Record<string, FileContent>;
  /** Only those who are `allowed` see it. Default: false. */
  private?: boolean;
  /** Everybody sees it, those who are `allowed` get its files. Default: false. */
  gated?: false | "auto" | "manual";
  /** Tokens with access to it, if it is private or gated. */
  allowed?: string[];
  tags?: string[];
  pipelineTag?: string;
  downloads?: number;
  likes?: number;
  /** What the hub read of `config.json` and `tokenizer_config.json`. */
  config?: object;
  /** What the hub read of a GGUF file. */
  gguf?: object;
}

/** A file as one commit has it. */
export interface HubFile {
  path: string;
  content: Blob;
  size: number;
  /** Git object id: of the file, or of the LFS pointer in its place. */
  oid: string;
  /** Only of large files. */
  lfs?: { oid: string; size: number; pointerSize: number };
  xetHash?: string;
}

/** A state of a repository. */
export interface Commit {
  sha: string;
  date: string;
  files: Map<string, HubFile>;
}

/** A repository on the hub. */
export interface Repo extends Required<Omit<NewRepo, "files" | "config" | "gguf">> {
  config?: object | undefined;
  gguf?: object | undefined;
  /** Oldest first; the last one is `main`. */
  commits: Commit[];
}

const PIECE_BYTES = 4 * 2 ** 20;
/** Files that repositories keep in LFS at any size, by their `.gitattributes`. */
const LARGE = /\.(gguf|safetensors|bin|onnx|pt|pth|h5|msgpack)$/i;
const LARGE_BYTES = 10 * 2 ** 20;

/** Makes a repository with one commit. */
export async function makeRepo(given: NewRepo): Promise<Repo> {
  const repo: Repo = {
    ...{ private: false, gated: false, allowed: [], tags: [], pipelineTag: "text-generation" },
    ...{ downloads: 0, likes: 0, ...given, commits: [] },
  };
  await addCommit(repo, given.files);
  return repo;
}

/** Adds a commit: files with other contents, files that are gone (null). Returns its id. */
export async function addCommit(
  repo: Repo,
  changes: Record<string, FileContent | null>,
): Promise<string> {
  const files = new Map(repo.commits.at(-1)?.files);
  for (const [path, content] of Object.entries(changes)) {
    if (content === null) files.delete(path);
    else files.set(path, await makeFile(path, content));
  }
  const hash = createHash("sha1").update(`${repo.name} ${repo.commits.length}`);
  for (const { path, oid } of files.values()) hash.update(`${path} ${oid}\n`);
  const sha = hash.digest("hex");
  const date = new Date(Date.UTC(2025, 0, 1 + repo.commits.length)).toISOString();
  repo.commits.push({ sha, date, files });
  return sha;
}

/** The commit that a branch or a commit id names. */
export function commitOf(repo: Repo, revision: string): Commit | undefined {
  if (revision === "main" || revision === "HEAD") return repo.commits.at(-1);
  return repo.commits.find(({ sha }) => sha === revision);
}

/** A file with the hashes by which git and LFS know it. */
export async function makeFile(path: string, content: FileContent): Promise<HubFile> {
  const blob = content instanceof Blob ? content : new Blob([content as BlobPart]);
  const { size } = blob;
  if (!LARGE.test(path) && size < LARGE_BYTES) {
    return { path, content: blob, size, oid: await gitOid(blob) };
  }
  const sha256 = await digest(blob, "sha256");
  const pointer = pointerOf(sha256, size);
  return {
    ...{ path, content: blob, size, oid: await gitOid(new Blob([pointer])) },
    lfs: { oid: sha256, size, pointerSize: pointer.length },
    // Not the real hash, which is a tree over chunks: nothing here reads it.
    xetHash: createHash("sha256").update(sha256).digest("hex"),
  };
}

/** What git holds in place of a large file (https://github.com/git-lfs/git-lfs, docs/spec.md). */
export function pointerOf(sha256: string, size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
}

function gitOid(blob: Blob): Promise<string> {
  return digest(blob, "sha1", `blob ${blob.size}\0`);
}

async function digest(blob: Blob, algorithm: "sha1" | "sha256", head = ""): Promise<string> {
  const hash = createHash(algorithm).update(head);
  for (let at = 0; at < blob.size; at += PIECE_BYTES) {
    hash.update(new Uint8Array(await blob.slice(at, at + PIECE_BYTES).arrayBuffer()));
  }
  return hash.digest("hex");
}
