import type { Field, Inputs } from "./fields.ts";
import { aliases, text } from "./schemas.ts";
import type { NameSettings } from "./settings.ts";

/** The settings of what models are called. */
export const NAME_FIELDS: { [K in keyof NameSettings]: Field<Inputs[K]> } = {
  aliases: {
    name: "aliases",
    flags: "--alias <name=model>",
    group: "Endpoints",
    help: "Another name for a model; endpoints may have it under several, e.g. \
fast=llama3:8b=meta/llama-3-8b; may be repeated",
    schema: () => aliases(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  embeddingModel: {
    name: "default_embedding_model",
    flags: "--default-embedding-model <model>",
    aliases: ["LLM_DEFAULT_EMBEDDING_MODEL"],
    group: "Endpoints",
    help: "Model of requests for embeddings that name none",
    schema: () => text("a model's name"),
    fallback: () => "nomic-embed-text-v1.5",
  },
};
