import { z } from "zod";
import { ToldUsage } from "../../../wire/chat.ts";
import { OllamaEmbeddingsRequest, OllamaEmbedRequest } from "../../../wire/ollama.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { compact, parseAnswer, parseRequest, unreadableAnswer } from "../../validation.ts";
import { type MillisecondClock, RequestStatistics } from "./statistics.ts";

const EMBEDDINGS = ROUTES.embeddings.path;

const Embeddings = z.looseObject({
  data: z.array(z.looseObject({ index: z.number().nullish(), embedding: z.array(z.number()) })),
  usage: ToldUsage,
});

/**
 * Puts `POST /api/embed` of Ollama's API to an endpoint's `/v1/embeddings`. What is longer than the
 * model takes is cut or refused as the endpoint does it.
 * Source: https://docs.ollama.com/api/embed
 */
export function ollamaEmbedOverEmbeddings(request: unknown, clock?: MillisecondClock): Translation {
  const { model, input, dimensions, keep_alive } = parseRequest(OllamaEmbedRequest, request);
  const measure = new RequestStatistics(clock);
  const count = typeof input === "string" ? 1 : input.length;
  return {
    path: EMBEDDINGS,
    body: { model, input, encoding_format: "float", ...compact({ dimensions, keep_alive }) },
    answer(json) {
      const { embeddings, usage } = read(json, count);
      measure.noteUsage(usage, json);
      const { total_duration, load_duration, prompt_eval_count } = measure.statistics();
      return { model, embeddings, total_duration, load_duration, prompt_eval_count };
    },
  };
}

/** The same for the older `POST /api/embeddings`, which takes one text. */
export function ollamaEmbeddingsOverEmbeddings(request: unknown): Translation {
  const { model, prompt, keep_alive } = parseRequest(OllamaEmbeddingsRequest, request);
  return {
    path: EMBEDDINGS,
    body: { model, input: prompt, encoding_format: "float", ...compact({ keep_alive }) },
    answer: (json) => ({ embedding: read(json, 1).embeddings[0] ?? [] }),
  };
}

function read(json: unknown, count: number) {
  const { data, usage } = parseAnswer(Embeddings, json);
  if (data.length !== count) throw unreadableAnswer(`it has ${data.length} embeddings of ${count}`);
  const inOrder = data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0));
  return { embeddings: inOrder.map(({ embedding }) => embedding), usage };
}
