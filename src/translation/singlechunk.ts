import { z } from "zod";
import { ROUTES } from "../wire/route.ts";
import { DONE } from "../wire/sse.ts";
import type { Translation } from "./translation.ts";

/** What a whole answer and a piece of one call differently. */
const Whole = z.looseObject({
  choices: z.array(
    z.looseObject({
      message: z.looseObject({ tool_calls: z.array(z.looseObject({})).nullish() }).optional(),
    }),
  ),
});

/** Answers that can be told as a stream of one piece. */
const PATHS = new Set([ROUTES.chat.path, ROUTES.generate.path]);

/**
 * The client's stream of an answer that came whole though a stream was asked for, as some servers
 * do; undefined where there is none. Throws `upstream` for an answer that makes no sense.
 */
export function streamFromAnswer(translation: Translation, json: unknown): string | undefined {
  const stream = translation.stream?.();
  if (stream === undefined || !PATHS.has(translation.path)) return undefined;
  translation.answer(json);
  const { choices, ...rest } = Whole.parse(json);
  const pieces = choices.map(({ message, ...choice }) => {
    const calls = message?.tool_calls?.map((call, index) => ({ ...call, index }));
    return { ...choice, delta: { ...message, ...(calls ? { tool_calls: calls } : {}) } };
  });
  const events = [JSON.stringify({ ...rest, choices: pieces }), DONE];
  return events.map((data) => stream.push({ event: undefined, data })).join("") + stream.end();
}
