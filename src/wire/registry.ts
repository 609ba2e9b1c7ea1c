import { z } from "zod";
import { Artifact, CHAT_TEMPLATE_CHARS_MAX } from "./manifest.ts";

const LIMITS = { repo: 2048, filename: 1024, name: 200, aliases: 32 };
const NODES_MAX = 1000;

/** A short name that an operator gives a model; it has no slash, which the hub's own names have. */
export const ALIAS = /^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/;

const Alias = z
  .string("`aliases` must be a list of texts")
  .trim()
  .regex(
    ALIAS,
    "an alias begins with a letter or digit; . _ : @ + - may follow, 128 characters in all",
  );

const Name = z
  .string("`display_name` must be a text or null")
  .trim()
  .min(1, "`display_name` must not be blank")
  .max(LIMITS.name, `\`display_name\` must have at most ${LIMITS.name} characters`);

const Template = z
  .string("`chat_template` must be a text or null")
  .min(1, "`chat_template` must not be empty; leave it out for the model's own")
  .max(CHAT_TEMPLATE_CHARS_MAX, "`chat_template` is too long");

const Aliases = z
  .array(Alias, "`aliases` must be a list")
  .max(LIMITS.aliases, `there may be at most ${LIMITS.aliases} aliases`);

const Replicas = z
  .int("`replicas` must be a whole number or null")
  .min(1, "`replicas` must be at least 1")
  .max(NODES_MAX, `\`replicas\` must be at most ${NODES_MAX}`);

const Nodes = z
  .array(z.string().trim().min(1).max(LIMITS.name), "`nodes` must be a list of names of nodes")
  .min(1, "`nodes` must not be empty; leave it out for all nodes")
  .max(NODES_MAX, `\`nodes\` must have at most ${NODES_MAX} names`);

const changeable = {
  display_name: Name.nullish(),
  chat_template: Template.nullish(),
  aliases: Aliases.nullish(),
  replicas: Replicas.nullish(),
  nodes: Nodes.nullish(),
};

/** The body of `POST /api/models/register`. Null means the same as leaving a field out. */
export const RegisterBody = z.strictObject({
  repo: z
    .string("`repo` is required: org/name or the address of a model on the hub")
    .trim()
    .min(1, "`repo` must not be empty: org/name or the address of a model on the hub")
    .max(LIMITS.repo, "`repo` is too long"),
  filename: z
    .string("`filename` must be a text or null")
    .min(1, "`filename` must not be empty")
    .max(LIMITS.filename, "`filename` is too long")
    .nullish(),
  ...changeable,
});
export type RegisterBody = z.infer<typeof RegisterBody>;

/** The body of `PATCH /api/models/{id}`: absent keeps, null clears. */
export const ModelChangeBody = z.strictObject(changeable);
export type ModelChangeBody = z.infer<typeof ModelChangeBody>;

/** Weights that are one choice among others: a GGUF file or all parts of a split one. */
export const Variant = z.object({
  quantization: z.string().nullable(),
  filename: z.string(),
  size_bytes: z.number(),
});
export type Variant = z.infer<typeof Variant>;

/** `lora`: an adapter on top of another model. */
export const ModelKind = z.enum(["gguf", "safetensors", "mixed", "lora"]);
export type ModelKind = z.infer<typeof ModelKind>;

/** What is kept of a model as the hub described it. */
export const ModelContent = z.object({
  kind: ModelKind,
  /** Null where only one is offered, or none tells. */
  quantization: z.string().nullable(),
  /** The file that stands for the model: what a node with enough memory would take. */
  primary: z.string(),
  size_bytes: z.number(),
  artifacts: z.array(Artifact.omit({ url: true })),
  variants: z.array(Variant),
  /** What else is there: ONNX files, adapters. */
  others: z.array(z.string()),
  tags: z.array(z.string()),
  architectures: z.array(z.string()),
  capabilities: z.array(z.string()),
  private: z.boolean(),
  gated: z.union([z.literal(false), z.string()]),
  downloads: z.number(),
  likes: z.number(),
  last_modified: z.string().nullable(),
  context_length: z.number().nullable(),
  warnings: z.array(z.string()),
});
export type ModelContent = z.infer<typeof ModelContent>;

/** `pending`: taken over from an earlier program; the hub was not asked yet. */
const RegisteredStatus = z.enum(["registered", "pending"]);

/** A registered model in `GET /api/models`; nodes read it, too. */
export const RegisteredModel = z.object({
  id: z.string(),
  /** The same: earlier clients read it. */
  name: z.string(),
  status: RegisteredStatus,
  /** An online endpoint serves it. */
  ready: z.boolean(),
  description: z.string(),
  display_name: z.string().nullable(),
  repo: z.string(),
  filename: z.string().nullable(),
  /** A commit. */
  revision: z.string().nullable(),
  kind: ModelKind.nullable(),
  /** The file that stands for the model. */
  primary: z.string().nullable(),
  quantization: z.string().nullable(),
  variants: z.array(Variant),
  size: z.number(),
  size_bytes: z.number(),
  required_memory: z.number(),
  required_memory_bytes: z.number(),
  source: z.enum(["hf_gguf", "hf_safetensors"]),
  tags: z.array(z.string()),
  architectures: z.array(z.string()),
  capabilities: z.array(z.string()),
  chat_template: z.string().nullable(),
  context_length: z.number().nullable(),
  aliases: z.array(z.string()),
  replicas: z.number().nullable(),
  nodes: z.array(z.string()).nullable(),
  gated: z.boolean(),
  private: z.boolean(),
  last_modified: z.string().nullable(),
  registered_at: z.string(),
});
export type RegisteredModel = z.infer<typeof RegisteredModel>;

/** `GET /api/models/{id}`. */
export const RegisteredDetail = RegisteredModel.extend({
  /** All names that mean it. */
  names: z.array(z.string()),
  others: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type RegisteredDetail = z.infer<typeof RegisteredDetail>;

/** `GET /api/models`. */
export const RegisteredList = z.object({
  object: z.literal("list"),
  data: z.array(RegisteredModel),
  total: z.number(),
  /** All models are in `data`: what is not, is registered no more. */
  complete: z.boolean(),
  /** Another one whenever something changed. */
  revision: z.string(),
});
export type RegisteredList = z.infer<typeof RegisteredList>;

/** The answer to `POST /api/models/register`. */
export const Registration = RegisteredDetail.extend({
  status: z.literal("registered"),
  /** The file that was asked for, else the one that stands for the model. */
  filename: z.string(),
  /** The hub could not be asked: what it told last was taken. */
  stale: z.boolean(),
});
export type Registration = z.infer<typeof Registration>;

/** One model in `GET /api/models/hub`. */
export const HubModel = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  repo: z.string(),
  recommended_filename: z.string(),
  size_bytes: z.number(),
  required_memory_bytes: z.number(),
  tags: z.array(z.string()),
  capabilities: z.array(z.string()),
  quantization: z.string().nullable(),
  status: z.enum(["registered", "ready"]),
  lifecycle_status: RegisteredStatus,
  hf_info: z.object({ downloads: z.number(), likes: z.number() }).nullable(),
});
export type HubModel = z.infer<typeof HubModel>;
