import { z } from "zod";
import { AnswerUsage } from "../../../wire/chat.ts";
import { OllamaEmbeddingsRequest, OllamaEmbedRequest } from "../../../wire/ollama.ts";
import { ROUTES } from "../../../wire/route.ts";
import { compact } from "../../compact.ts";
import { unreadableAnswer } from "../../errors.ts";
import type { Translation } from "../../translation.ts";
import { parseAnswer, parseRequest } from "../../validation.ts";
import { type MillisecondClock, RequestStatistics } from "./statistics.ts";

const Embeddings = z.looseObject({
  data: z.array(z.looseObject({ index: z.number().nullish(), embedding: z.array(z.number()) })),
  usage: AnswerUsage,
});

/**
 * Translates a request to Ollama's `/api/embed` for an upstream that has `/v1/embeddings`. Whether
 * an input that is too long is cut or refused is up to the upstream.
 * Source: https://docs.ollama.com/api/embed
 */
export function ollamaEmbedOverEmbeddings(request: unknown, clock?: MillisecondClock): Translation {
  const { model, input, dimensions, keep_alive } = parseRequest(OllamaEmbedRequest, request);
  const statistics = new RequestStatistics(clock);
  const count = typeof input === "string" ? 1 : input.length;
  return {
    path: ROUTES.embeddings.path,
    body: { model, input, encoding_format: "float", ...compact({ dimensions, keep_alive }) },
    answer(json) {
      const { embeddings, usage } = parseEmbeddings(json, count);
      statistics.noteUsage(usage, json);
      const { total_duration, load_duration, prompt_eval_count } = statistics.summary();
      return { model, embeddings, total_duration, load_duration, prompt_eval_count };
    },
  };
}

/** The same for the older `/api/embeddings`, which takes one text. */
export function ollamaEmbeddingsOverEmbeddings(request: unknown): Translation {
  const { model, prompt, keep_alive } = parseRequest(OllamaEmbeddingsRequest, request);
  return {
    path: ROUTES.embeddings.path,
    body: { model, input: prompt, encoding_format: "float", ...compact({ keep_alive }) },
    answer: (json) => ({ embedding: parseEmbeddings(json, 1).embeddings[0] ?? [] }),
  };
}

/** The embeddings in the order of the inputs. Throws `upstream` if there are not `count`. */
function parseEmbeddings(json: unknown, count: number) {
  const { data, usage } = parseAnswer(Embeddings, json);
  if (data.length !== count) throw unreadableAnswer(`it has ${data.length} embeddings of ${count}`);
  const inOrder = data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0));
  return { embeddings: inOrder.map(({ embedding }) => embedding), usage };
}
