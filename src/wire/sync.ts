import { z } from "zod";
import { Peer } from "./manifest.ts";
import { PullProgress } from "./pull.ts";
import { RunSettings } from "./runsettings.ts";
import { LoadedModels } from "./system.ts";

const Id = z.string().min(1).max(1024);
const File = z.string().min(1).max(1024);
const MODELS_MAX = 10_000;
const FILES_MAX = 1000;

/** A model that the balancer assigned to a node. */
export const AssignedModel = z.object({
  id: Id,
  /** A commit; null until the hub was asked. */
  revision: z.string().max(256).nullable(),
  /** The hash of the chat template that an operator gave; null: none was given. */
  template: z.string().max(64).nullable().default(null),
  /** How it runs; those of a newer balancer that this node does not know count as none. */
  settings: RunSettings.nullable().catch(null).default(null),
  /** Other names of the model in requests. */
  names: z.array(Id).max(10_000),
  /** Quantizations that are listed as models of their own, as `id:QUANT`. */
  quantizations: z.array(z.string().max(64)).max(1000),
});
export type AssignedModel = z.infer<typeof AssignedModel>;

/** `GET /api/nodes/{node}/models`: the models of a node. The ETag depends on the content only. */
export const AssignedModelList = z.object({
  models: z.array(AssignedModel).max(MODELS_MAX),
  /** The list has all models: the node deletes others that sync placed there. */
  complete: z.boolean(),
});
export type AssignedModelList = z.infer<typeof AssignedModelList>;

/** The body of `POST /api/nodes/{node}/models/turn`: a node asks whether it may fetch files. */
export const DownloadLeaseBody = z.object({
  model: Id,
  revision: z.string().max(256),
  /** By their paths in the repository. */
  files: z.array(File).min(1).max(FILES_MAX),
});
export type DownloadLeaseBody = z.infer<typeof DownloadLeaseBody>;

/** The answer to it: where the node gets the files. */
export const DownloadLeaseAnswer = z.discriminatedUnion("go", [
  /** It has the lease: it fetches from the hub, and asks again within `renew_ms`. */
  z.object({ go: z.literal("hub"), renew_ms: z.int().min(100) }),
  /** It fetches from nodes that have the files. */
  z.object({ go: z.literal("peers"), peers: z.array(Peer).min(1).max(1000) }),
  /** Another node has the lease; this one asks again after `retry_ms`. */
  z.object({ go: z.literal("wait"), holder: z.string(), retry_ms: z.int().min(100) }),
]);
export type DownloadLeaseAnswer = z.infer<typeof DownloadLeaseAnswer>;

/** The state of a model's files on a node. */
export const NodeModelState = z.enum(["waiting", "pulling", "ready", "failed", "unusable"]);
export type NodeModelState = z.infer<typeof NodeModelState>;

/** Why a model is missing on a node, or cannot be used. */
export const NodeModelError = z.object({
  code: z.string().max(200),
  message: z.string().max(4000),
});
export type NodeModelError = z.infer<typeof NodeModelError>;

/** A model on a node, in the node's reports to the balancer. */
export const NodeModelReport = z.object({
  id: Id,
  state: NodeModelState,
  revision: z.string().max(256).nullable(),
  /** Names of the files that are complete and verified. */
  files: z.array(File).max(FILES_MAX),
  progress: PullProgress.omit({ files: true }).nullable(),
  error: NodeModelError.nullable(),
});
export type NodeModelReport = z.infer<typeof NodeModelReport>;

/** The body of `POST /api/nodes/{node}/models/report`. */
export const ModelReportBody = z.object({
  /** All models that the node has, fetches, or failed to fetch. */
  models: z.array(NodeModelReport).max(MODELS_MAX),
  /** The names that the node lists at `GET /v1/models`. */
  serves: z.array(Id).max(2 * MODELS_MAX),
  /** What it has loaded; absent: an older node, or one that says it in words of a newer one. */
  loaded: LoadedModels.optional().catch(undefined),
});
export type ModelReportBody = z.infer<typeof ModelReportBody>;

/** The body of a node's `POST /api/models/pull`; without a model: all that are assigned to it. */
export const PullBody = z.strictObject({
  model: z.string().trim().min(1).max(2048).optional(),
  /** An older name of `model`. */
  name: z.string().trim().min(1).max(2048).optional(),
});
export type PullBody = z.infer<typeof PullBody>;

/** A pull as a node's `GET /api/models/pulls` lists it. */
export const PullView = z.object({
  id: z.string(),
  model: z.string(),
  placed_by: z.enum(["sync", "user"]),
  /** RFC 3339. */
  started_at: z.string(),
  progress: PullProgress,
  error: NodeModelError.nullable(),
});
export type PullView = z.infer<typeof PullView>;

/** The answer (202) to a node's `POST /api/models/pull`. */
export const PullAnswer = z.object({
  status: z.enum(["pulling", "syncing"]),
  /** Null for all models. */
  id: z.string().nullable(),
  model: z.string().nullable(),
  progress_url: z.string(),
});
export type PullAnswer = z.infer<typeof PullAnswer>;

/** A model in a node's `GET /api/models`. */
export const NodeModelView = z.object({
  id: z.string(),
  state: NodeModelState,
  /** The names that it has in requests. */
  names: z.array(z.string()),
  format: z.enum(["gguf", "safetensors"]).nullable(),
  quantization: z.string().nullable(),
  size_bytes: z.number(),
  revision: z.string().nullable(),
  /** `settings`: the settings name its files, which are outside of the models folder. */
  placed_by: z.enum(["sync", "user", "settings"]),
  progress: PullProgress.nullable(),
  error: NodeModelError.nullable(),
});
export type NodeModelView = z.infer<typeof NodeModelView>;

/** `GET /api/models` of a node. */
export const NodeModelList = z.object({
  object: z.literal("list"),
  data: z.array(NodeModelView),
  /** The state of the node's sync with its balancer. */
  sync: z.object({
    state: z.enum(["alone", "syncing", "in_sync", "balancer_away"]),
    /** RFC 3339; null: never. */
    last_at: z.string().nullable(),
    error: z.string().nullable(),
  }),
});
export type NodeModelList = z.infer<typeof NodeModelList>;

/** The code of a model that is too large for the memory of a node. */
export const TOO_LARGE = "pull_too_large";

/** `GET /api/models/{id}/progress` of a balancer. */
export const ModelProgress = z.object({
  model: z.string(),
  state: z.enum(["registered", "caching", "ready", "error"]),
  bytes_downloaded: z.number(),
  bytes_total: z.number(),
  percent: z.number(),
  nodes: z.array(z.object({ node: z.string(), ...NodeModelReport.omit({ id: true }).shape })),
  /** Of a model that is too large for its nodes: the workers with whose devices it would fit. */
  proposed_workers: z.array(z.string()).optional(),
});
export type ModelProgress = z.infer<typeof ModelProgress>;

/** The answer (202) to a balancer's `POST /api/models/{id}/pull`. */
export const ModelPullAnswer = z.object({
  status: z.literal("pulling"),
  model: z.string(),
  /** Names of the nodes that the model is assigned to. */
  nodes: z.array(z.string()),
  progress_url: z.string(),
});
export type ModelPullAnswer = z.infer<typeof ModelPullAnswer>;
