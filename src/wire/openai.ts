import { z } from "zod";

/**
 * The fields of an inference request that balancer and node read; all others are passed on.
 * Source: https://platform.openai.com/docs/api-reference
 */
export const InferenceRequest = z.looseObject({
  model: z.string({ error: "`model` is required and must be a string" }).min(1, {
    error: "`model` must not be empty",
  }),
  stream: z.boolean({ error: "`stream` must be true or false" }).nullish(),
});

export type InferenceRequest = z.infer<typeof InferenceRequest>;

/** A request for embeddings: its model may be left out where there is a default. */
export const EmbeddingsRequest = InferenceRequest.extend({
  model: z.string({ error: "`model` must be a string" }).nullish(),
});

/** The same check as the schema `InferenceRequest`, in a tenth of its time. */
export function isInferenceRequest(json: unknown): json is InferenceRequest {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return false;
  const { model, stream } = json as { model?: unknown; stream?: unknown };
  if (typeof model !== "string" || model === "") return false;
  return stream === undefined || stream === null || typeof stream === "boolean";
}

/** One entry of `GET /v1/models`; servers add fields of their own. */
export const ModelEntry = z.looseObject({ id: z.string().min(1) });
export type ModelEntry = z.infer<typeof ModelEntry>;

/** What holds a list of models; some servers answer the list itself. */
export function listHolder(json: unknown): unknown {
  return Array.isArray(json) ? { data: json } : json;
}

/** `GET /v1/models`. Ollama without any model answers `data: null`. */
export const ModelList = z.preprocess(
  listHolder,
  z.looseObject({
    data: z
      .array(ModelEntry)
      .nullable()
      .transform((models) => models ?? []),
  }),
);
export type ModelList = z.infer<typeof ModelList>;
