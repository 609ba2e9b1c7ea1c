import { type AliasSetting, aliasList } from "../values/alias.ts";
import { nonEmptyText } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

/** What models are called. */
export interface NameSettings {
  aliases: AliasSetting[];
  /** Model of requests for embeddings that name none. */
  embeddingModel: string;
}

/** The fields of `NameSettings`. */
export const NAME_FIELDS: FieldsOf<NameSettings> = {
  aliases: {
    name: "aliases",
    reload: true,
    flags: "--alias <name=model>",
    group: "Endpoints",
    help: "Another name for a model; endpoints may have it under several, e.g. \
fast=llama3:8b=meta/llama-3-8b; may be repeated",
    schema: () => aliasList(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  embeddingModel: {
    name: "default_embedding_model",
    reload: true,
    flags: "--default-embedding-model <model>",
    aliases: ["LLM_DEFAULT_EMBEDDING_MODEL"],
    group: "Endpoints",
    help: "Model of requests for embeddings that name none",
    schema: () => nonEmptyText("a model's name"),
    fallback: () => "nomic-embed-text-v1.5",
  },
};
