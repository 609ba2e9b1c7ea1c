import { z } from "zod";

/** The kind of an artifact; `config` is any small file beside the weights. */
const ArtifactFormat = z.enum(["gguf", "safetensors", "metal", "directml", "config"]);

/** The most characters of a chat template. */
export const CHAT_TEMPLATE_CHARS_MAX = 512 * 1024;

const SEGMENT = /^[^\\/:*?"<>|]{1,255}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not occur.
const CONTROLS = /[\0-\x1f\x7f]/;

/** Whether a relative path stays below the folder that it is joined to, on every system. */
export function isSafePath(path: string): boolean {
  if (path.length > 1024 || CONTROLS.test(path)) return false;
  return path.split("/").every((part) => SEGMENT.test(part) && !/^\.|[. ]$/.test(part));
}

/** One file of a model. */
export const Artifact = z.object({
  /** Path in the repository. A node saves the file by the last part of it. */
  filename: z.string().refine(isSafePath, "must be a plain relative path"),
  format: ArtifactFormat,
  /** E.g. `Q4_K_M`, spelled as in the file's name; null where there is none. */
  quantization: z.string().min(1).max(64).nullable(),
  /** Null where the hub does not report it. */
  size_bytes: z.int().min(0).nullable(),
  /** Null for small files, which the hub keeps outside of LFS. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits in lower case")
    .nullable(),
  /** The git object id of a file outside of LFS: SHA-1 over `blob <size>\0` and the content. */
  git_oid: z
    .string()
    .regex(/^[0-9a-f]{40}$/, "must be 40 hexadecimal digits in lower case")
    .nullable()
    .default(null),
  /** Absolute, with the commit, not a branch. */
  url: z.url({ protocol: /^https?$/ }).max(4096),
  /** Higher ones are fetched first; below zero with less of the bandwidth. */
  priority: z.int().min(-100).max(100).default(0),
  /** Engines that can use it, e.g. `llama_cpp`; empty: all. */
  runtimes: z.array(z.string().min(1).max(64)).max(16).default([]),
  /** The model works without it. */
  optional: z.boolean().default(false),
});
export type Artifact = z.infer<typeof Artifact>;

/** A node that has verified files of the model. */
export const Peer = z.object({
  /** The node's own address; files are at `/api/models/files/{model}/{file}` below it. */
  url: z.url({ protocol: /^https?$/ }).max(2048),
  /** The token for `Authorization: Bearer`; null: none is needed. */
  token: z.string().min(1).max(4096).nullable(),
  /** Of the only certificate that it shows; absent: any valid one. */
  tls_fingerprint: z.string().max(100).optional(),
  /** The `filename`s that it has; absent: all files of the model. */
  files: z.array(z.string().max(1024)).max(10_000).optional(),
});
export type Peer = z.infer<typeof Peer>;

/** The files of a model: `GET /api/models/registry/{model}/manifest.json`. */
export const Manifest = z.object({
  /** The model's canonical id. */
  model: z.string().min(1).max(1024),
  /** `org/name` on the hub. */
  repo: z.string().min(1).max(1024),
  /** A commit, so that every node gets the same bytes. */
  revision: z.string().min(1).max(256),
  /** The format of the weights; null where several are offered. */
  format: z.enum(["gguf", "safetensors"]).nullable(),
  /** Set where one quantization was registered; null: the node chooses. */
  quantization: z.string().min(1).max(64).nullable(),
  /** An operator's chat template, which replaces that of the weights. */
  chat_template: z.string().min(1).max(CHAT_TEMPLATE_CHARS_MAX).optional(),
  artifacts: z.array(Artifact).min(1).max(10_000),
  /** Where files may come from, redirects included; see `specs/pull.md` for the patterns. */
  origin_allowlist: z.array(z.string().min(1).max(512)).max(1000),
  peers: z.array(Peer).max(1000).default([]),
  created_at: z.string(),
});
export type Manifest = z.infer<typeof Manifest>;
