import type { Pooling } from "../../model/capability.ts";
import type { Capability } from "../../wire/capability.ts";
import { ApiError } from "../../wire/error.ts";
import type { ModelFiles } from "../models/catalog.ts";

/**
 * What an engine is started for. llama.cpp (v0.5.0) fixes this at start: `/v1/embeddings` is
 * refused by an engine without `--embeddings`, and by one without a pooling type; `/v1/rerank` by
 * one that does not pool by rank; and `--embeddings` cuts down what the same engine can generate
 * (one output per sequence, batches no longer than what fits at once). So a chat model that is
 * also asked for embeddings gets a second engine, started by the first such request. Its weights
 * are mapped from the same file: on a CPU they are in memory once.
 */
export type Purpose = "generate" | "embed" | "rerank";

/** Embeds texts of up to this many tokens; a text must fit into one batch. llama.cpp: 512. */
const EMBED_TOKENS_MAX = 2048;

/** Texts embedded at once. */
const EMBED_SLOTS = 4;

const PURPOSE_FLAGS = ["--embeddings", "--embedding", "--reranking", "--rerank"];

export interface Job {
  modelId: string;
  /** What the request needs; undefined: any engine of the model will do. */
  need: Purpose | undefined;
  /** What the model's file says of itself. */
  pooling: Pooling | undefined;
  /** The operator's own arguments for engines. */
  engineArgs: string[];
}

/**
 * Which engine of a model serves a request. An operator who passes `--embeddings` or `--reranking`
 * for all engines gets one engine per model, started just so (`generate`). Otherwise:
 *
 * | the model's pooling | generate | embed    | rerank   | any      |
 * |---------------------|----------|----------|----------|----------|
 * | none: a chat model  | generate | embed    | refused  | generate |
 * | mean, cls, last     | refused  | embed    | refused  | embed    |
 * | rank                | refused  | refused  | rerank   | rerank   |
 *
 * Refused: throws 400 `model_capability_mismatch`.
 */
export function choosePurpose({ modelId, need, pooling, engineArgs }: Job): Purpose {
  if (engineArgs.some((arg) => PURPOSE_FLAGS.includes(arg))) return "generate";
  const main = pooling === undefined ? "generate" : pooling === "rank" ? "rerank" : "embed";
  if (need === undefined || need === main) return main;
  if (need === "embed" && main === "generate") return "embed";
  throw mismatch(modelId, need, main);
}

/** The llama-server arguments that start an engine for a purpose. */
export function purposeArgs(
  purpose: Purpose,
  pooling: Pooling | undefined,
  engineArgs: string[],
): string[] {
  if (purpose === "generate") return [];
  if (purpose === "rerank") return ["--reranking"];
  const tokens = String(EMBED_TOKENS_MAX);
  const named = pooling !== undefined || engineArgs.includes("--pooling");
  return [
    "--embeddings",
    ...(named ? [] : ["--pooling", "mean"]),
    ...["--batch-size", tokens, "--ubatch-size", tokens],
    ...(pooling === "last" ? [] : contextArgs()),
  ];
}

/**
 * More context than a text may be long would only take memory, next to that of the chat engine.
 * Not so with pooling by the last token: there a text may be split into batches.
 */
function contextArgs(): string[] {
  const tokens = EMBED_SLOTS * EMBED_TOKENS_MAX;
  return ["--ctx-size", String(tokens), "--parallel", String(EMBED_SLOTS)];
}

/** What a model with these files can do here; undefined where the operator's arguments decide. */
export function abilitiesOf(
  { pooling, senses }: Pick<ModelFiles, "pooling" | "senses">,
  engineArgs: string[],
): Capability[] | undefined {
  if (engineArgs.some((arg) => PURPOSE_FLAGS.includes(arg))) return undefined;
  if (pooling === "rank") return ["rerank"];
  if (pooling !== undefined) return ["embeddings"];
  const vision: Capability[] = senses?.vision === true ? ["vision"] : [];
  const speech: Capability[] = senses?.audio === true ? ["speech_to_text"] : [];
  return ["chat", "completion", "embeddings", ...vision, ...speech];
}

const MADE_FOR: Record<Purpose, string> = {
  generate: "a chat model: use /v1/chat/completions or /v1/embeddings",
  embed: "an embedding model: use /v1/embeddings",
  rerank: "a rerank model: use /v1/rerank",
};

const ASKED: Record<Purpose, string> = {
  generate: "Generating text",
  embed: "Embedding texts",
  rerank: "Reranking documents",
};

function mismatch(modelId: string, need: Purpose, main: Purpose): ApiError {
  const message = `${ASKED[need]} with ${modelId} is not possible: it is ${MADE_FOR[main]}.`;
  return new ApiError("invalid_request", message, {
    code: "model_capability_mismatch",
    param: "model",
  });
}
