import type { OllamaSettings } from "../../../wire/ollama.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { answerHead } from "./answer.ts";
import { type AnswerShape, EMPTY_PIECE } from "./answershape.ts";

/**
 * Translates a request that only loads a model, or unloads it (`keep_alive: 0`): a chat without
 * messages, for upstreams that know what that means.
 */
export function loadTranslation(request: OllamaSettings, shape: AnswerShape): Translation {
  const { model, keep_alive } = request;
  const isUnload = keep_alive != null && /^0+\D*$/.test(`${keep_alive}`);
  const answer = () => ({
    ...answerHead(model),
    ...shape(EMPTY_PIECE),
    done: true,
    done_reason: isUnload ? "unload" : "load",
  });
  const body = { model, messages: [], stream: false, keep_alive: keep_alive ?? null };
  return { path: ROUTES.chat.path, body, answer, fixedAnswer: answer() };
}
