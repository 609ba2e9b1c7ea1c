import { z } from "zod";
import { ModelKind, RegisterBody } from "./registry.ts";

/**
 * Whether a model would run on a node: on its GPUs; in the host's memory, all or some of it; with a
 * shorter context than it could have; not at all. `unknown`: the node does not tell its memory.
 */
export const NodeFit = z.enum(["device", "host", "shortened", "too_large", "unknown"]);
export type NodeFit = z.infer<typeof NodeFit>;

/** The body of `POST /api/models/preview`: what would be registered. */
export const PreviewBody = z.object({
  repo: RegisterBody.shape.repo,
  filename: RegisterBody.shape.filename,
});

/** Something of a repository that can be registered. */
const PreviewChoice = z.object({
  /** Null: the repository as a whole, of which each node takes what fits it. */
  filename: z.string().nullable(),
  quantization: z.string().nullable(),
  /** Of a repository as a whole: what a node with enough memory takes. */
  size_bytes: z.number(),
  required_memory_bytes: z.number(),
  /** What it would be called. */
  id: z.string(),
  /** There is a model of this id. */
  registered: z.boolean(),
  /** What of `POST /api/models/register` registers it. */
  register: z.object({ repo: z.string(), filename: z.string().nullable() }),
  /** Whether it fits each of `nodes`, in their order. */
  fits: z.array(NodeFit),
});
export type PreviewChoice = z.infer<typeof PreviewChoice>;

/** `POST /api/models/preview`: what the hub tells of a model before it is registered. */
export const ModelPreview = z.object({
  /** As the hub spells it. */
  repo: z.string(),
  revision: z.string(),
  kind: ModelKind,
  /** The file that the request names; null: none. */
  selected: z.string().nullable(),
  choices: z.array(PreviewChoice),
  /** All files that belong to it. */
  files: z.array(z.object({ filename: z.string(), size_bytes: z.number().nullable() })),
  /** The nodes that models go to. */
  nodes: z.array(
    z.object({
      name: z.string(),
      /** For models, GPUs and host together. */
      memory_bytes: z.number().nullable(),
      /** What no loaded model has of it. */
      free_bytes: z.number().nullable(),
    }),
  ),
  gated: z.boolean(),
  private: z.boolean(),
  capabilities: z.array(z.string()),
  context_length: z.number().nullable(),
  downloads: z.number(),
  likes: z.number(),
  last_modified: z.string().nullable(),
  warnings: z.array(z.string()),
  /** The hub could not be reached: its last answer was used. */
  stale: z.boolean(),
});
export type ModelPreview = z.infer<typeof ModelPreview>;
