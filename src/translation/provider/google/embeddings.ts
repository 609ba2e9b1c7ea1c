import { z } from "zod";
import { GoogleEmbeddings } from "../../../wire/google.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { unreadableGoogleAnswer, unsupportedByGoogle } from "./errors.ts";
import { googleModelPath } from "./modelpath.ts";

/** Source: https://platform.openai.com/docs/api-reference/embeddings */
const EmbeddingsRequest = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()).min(1)], {
    error: "it must be a text or a list of texts, not tokens",
  }),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().positive().nullish(),
});

/** The most texts that Google takes in one request. */
const INPUTS_MAX = 100;

/**
 * Translates a request for embeddings for Google's `batchEmbedContents`; `model` and the path are
 * as in `chatOverGoogle`. Throws `invalid_request` for tokens and for more than 100 texts.
 */
export function embeddingsOverGoogle(request: unknown, model?: string): Translation {
  const {
    input,
    encoding_format: format,
    dimensions,
    ...rest
  } = parseRequest(EmbeddingsRequest, request);
  const modelPath = googleModelPath(model ?? rest.model);
  const texts = typeof input === "string" ? [input] : input;
  if (texts.length > INPUTS_MAX) {
    throw unsupportedByGoogle(
      "input",
      `it has ${texts.length} texts, Google takes ${INPUTS_MAX} at once`,
    );
  }
  const requests = texts.map((text) => ({
    model: modelPath,
    content: { parts: [{ text }] },
    ...(dimensions ? { outputDimensionality: dimensions } : {}),
  }));
  return {
    path: `/${modelPath}:batchEmbedContents`,
    body: { requests },
    answer: (json) => openaiEmbeddings(json, rest.model, format === "base64"),
  };
}

function openaiEmbeddings(json: unknown, model: string, inBase64: boolean): object {
  const result = GoogleEmbeddings.safeParse(json);
  if (!result.success) throw unreadableGoogleAnswer("it holds no embeddings", result.error);
  const { embeddings, usageMetadata } = result.data;
  const tokens = usageMetadata?.promptTokenCount ?? 0;
  return {
    object: "list",
    data: embeddings.map(({ values }, index) => ({
      object: "embedding",
      index,
      embedding: inBase64 ? base64(values) : values,
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** 32-bit floats, little-endian, in base64: the `encoding_format` of most OpenAI clients. */
function base64(values: number[]): string {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes.toString("base64");
}
