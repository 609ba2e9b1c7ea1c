import type { Pooling } from "../../model/capability.ts";
import type { Capability } from "../../wire/capability.ts";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";
import type { ModelFiles } from "../models/modelfiles.ts";

/**
 * What an engine is started for. llama.cpp (v0.5.0) fixes this at start: an engine embeds only with
 * `--embeddings` and a pooling type, and reranks only if it pools by rank. `--embeddings` limits
 * what the same engine can generate (one output per sequence, batches no longer than what fits at
 * once), so a chat model gets a second engine for its first request for embeddings. Both map the
 * weights from the same file: on a CPU they are in memory once.
 */
export type EngineTask = "generate" | "embed" | "rerank";

/** All tasks. Engines that generate come first. */
export const ENGINE_TASKS: readonly EngineTask[] = ["generate", "embed", "rerank"];

/** Longest text to embed, in tokens. It must fit into one batch; llama.cpp's default is 512. */
const EMBED_TOKENS_MAX = 2048;

/** How many texts are embedded at the same time. */
const EMBED_SLOTS = 4;

const TASK_FLAGS = ["--embeddings", "--embedding", "--reranking", "--rerank"];

/** The task that a capability needs. */
export function taskOf(capability: Capability): EngineTask {
  if (capability === "embeddings") return "embed";
  return capability === "rerank" ? "rerank" : "generate";
}

export interface TaskRequest {
  modelId: string;
  /** The task that the request needs; undefined: any engine of the model can answer it. */
  task: EngineTask | undefined;
  /** The pooling that the model's file names. */
  pooling: Pooling | undefined;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
}

/**
 * Which engine of a model answers a request. If the operator passes `--embeddings` or `--reranking`
 * to all engines, a model has one engine, for everything (`generate`). Otherwise:
 *
 * | the model's pooling | generate | embed    | rerank   | any      |
 * |---------------------|----------|----------|----------|----------|
 * | none: a chat model  | generate | embed    | refused  | generate |
 * | mean, cls, last     | refused  | embed    | refused  | embed    |
 * | rank                | refused  | refused  | rerank   | rerank   |
 *
 * Refused: throws 400 `model_capability_mismatch`.
 */
export function chooseTask({ modelId, task, pooling, engineArgs }: TaskRequest): EngineTask {
  if (hasTaskFlag(engineArgs)) return "generate";
  const main = pooling === undefined ? "generate" : pooling === "rank" ? "rerank" : "embed";
  if (task === undefined || task === main) return main;
  if (task === "embed" && main === "generate") return "embed";
  throw mismatchError(modelId, task, main);
}

/** Only what is generated comes back to a prompt that was read before. */
const NO_PROMPT_CACHE = ["--cache-ram", "0"];

/** The llama-server arguments that start an engine for a task. */
export function taskArgs(
  task: EngineTask,
  pooling: Pooling | undefined,
  engineArgs: string[],
): string[] {
  if (task === "generate") return [];
  if (task === "rerank") return ["--reranking", ...NO_PROMPT_CACHE];
  const tokens = String(EMBED_TOKENS_MAX);
  const hasPooling = pooling !== undefined || engineArgs.includes("--pooling");
  return [
    "--embeddings",
    ...(hasPooling ? [] : ["--pooling", "mean"]),
    ...["--batch-size", tokens, "--ubatch-size", tokens],
    ...(pooling === "last" ? [] : contextArgs()),
    ...NO_PROMPT_CACHE,
  ];
}

/**
 * Limits the context to the longest texts: more would take memory from the chat engine for nothing.
 * Not with pooling by the last token, where a text may be split into batches.
 */
function contextArgs(): string[] {
  const tokens = EMBED_SLOTS * EMBED_TOKENS_MAX;
  return ["--ctx-size", String(tokens), "--parallel", String(EMBED_SLOTS)];
}

/** What a model with these files can do; undefined if the operator's arguments decide that. */
export function modelCapabilities(
  { pooling, projector }: Pick<ModelFiles, "pooling" | "projector">,
  engineArgs: string[],
): Capability[] | undefined {
  if (hasTaskFlag(engineArgs)) return undefined;
  if (pooling === "rank") return ["rerank"];
  if (pooling !== undefined) return ["embeddings"];
  const vision: Capability[] = projector?.vision === true ? ["vision"] : [];
  const speech: Capability[] = projector?.audio === true ? ["speech_to_text"] : [];
  return ["chat", "completion", "embeddings", ...vision, ...speech];
}

function hasTaskFlag(engineArgs: string[]): boolean {
  return engineArgs.some((arg) => TASK_FLAGS.includes(arg));
}

const { chat, embeddings, rerank } = ROUTES;

const MODEL_KINDS: Record<EngineTask, string> = {
  generate: `a chat model: use ${chat.path} or ${embeddings.path}`,
  embed: `an embedding model: use ${embeddings.path}`,
  rerank: `a rerank model: use ${rerank.path}`,
};

const TASK_NAMES: Record<EngineTask, string> = {
  generate: "Generating text",
  embed: "Embedding texts",
  rerank: "Reranking documents",
};

function mismatchError(modelId: string, task: EngineTask, main: EngineTask): ApiError {
  const kind = MODEL_KINDS[main];
  const message = `${TASK_NAMES[task]} with ${modelId} is not possible: it is ${kind}.`;
  return new ApiError("invalid_request", message, {
    code: "model_capability_mismatch",
    param: "model",
  });
}
