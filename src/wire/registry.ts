import { z } from "zod";
import { Artifact, CHAT_TEMPLATE_CHARS_MAX } from "./manifest.ts";
import { RunSettings, RunSettingsChange } from "./runsettings.ts";

const LIMITS = { repo: 2048, filename: 1024, name: 200, aliases: 32 };
const NODES_MAX = 1000;

/** A short name that an operator gives a model; unlike the hub's names it has no slash. */
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
  /** How it runs. A change names only what changes. */
  settings: RunSettingsChange.nullish(),
};

/** The body of `POST /api/models/register`. A field with null counts as left out. */
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

/** The body of `PATCH /api/models/{id}`: null clears a field. */
export const ModelChangeBody = z.strictObject(changeable);
export type ModelChangeBody = z.infer<typeof ModelChangeBody>;

/** One of the weights that a repository offers: a GGUF file, or all parts of a split one. */
export const Variant = z.object({
  quantization: z.string().nullable(),
  filename: z.string(),
  size_bytes: z.number(),
});
export type Variant = z.infer<typeof Variant>;

/** `lora`: an adapter on top of another model. */
export const ModelKind = z.enum(["gguf", "safetensors", "mixed", "lora"]);

/** The hub's description of a model, as it is stored. */
export const ModelContent = z.object({
  kind: ModelKind,
  /** Null where only one is offered, or the file names do not say. */
  quantization: z.string().nullable(),
  /** The main file: the weights that a node with enough memory takes. */
  primary: z.string(),
  size_bytes: z.number(),
  artifacts: z.array(Artifact.omit({ url: true })),
  variants: z.array(Variant),
  /** Files that are not used: ONNX files, adapters. */
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

/** `pending`: taken over from an older program, and the hub was not asked yet. */
const RegisteredStatus = z.enum(["registered", "pending"]);

/** A registered model in `GET /api/models`. */
export const RegisteredModel = z.object({
  id: z.string(),
  /** An older name of `id`. */
  name: z.string(),
  status: RegisteredStatus,
  /** Whether an online endpoint serves it. */
  ready: z.boolean(),
  description: z.string(),
  display_name: z.string().nullable(),
  repo: z.string(),
  filename: z.string().nullable(),
  /** A commit. */
  revision: z.string().nullable(),
  kind: ModelKind.nullable(),
  /** The main file. */
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
  settings: RunSettings.nullable().default(null),
  gated: z.boolean(),
  private: z.boolean(),
  last_modified: z.string().nullable(),
  registered_at: z.string(),
});
export type RegisteredModel = z.infer<typeof RegisteredModel>;

/** `GET /api/models/{id}`. */
export const RegisteredDetail = RegisteredModel.extend({
  /** All names that it has in requests. */
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
  /** Whether `data` has all registered models. */
  complete: z.boolean(),
  /** Changes whenever a model does. */
  revision: z.string(),
});
export type RegisteredList = z.infer<typeof RegisteredList>;

/** The answer to `POST /api/models/register`. */
export const Registration = RegisteredDetail.extend({
  status: z.literal("registered"),
  /** The requested file, else the main file. */
  filename: z.string(),
  /** The hub could not be reached: its last answer was used. */
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
