import { z } from "zod";
import { ROUTES } from "../wire/route.ts";
import { DONE } from "../wire/sse.ts";
import type { Translation } from "./translation.ts";

/** The field in which a whole answer and a chunk differ: chunks number their tool calls. */
const Completion = z.looseObject({
  choices: z.array(
    z.looseObject({
      message: z.looseObject({ tool_calls: z.array(z.looseObject({})).nullish() }).optional(),
    }),
  ),
});

/** The routes whose whole answers can be written as a stream of one chunk. */
const PATHS: ReadonlySet<string> = new Set([ROUTES.chat.path, ROUTES.generate.path]);

/**
 * The client's stream for an upstream that answers whole where a stream was asked for, as some
 * servers do: its answer is read as the only chunk. Undefined where the translation has no streams.
 * Throws `upstream` for an answer that cannot be read.
 */
export function streamFromAnswer(translation: Translation, json: unknown): string | undefined {
  const stream = translation.stream?.();
  if (stream === undefined || !PATHS.has(translation.path)) return undefined;
  translation.answer(json);
  const { choices, ...rest } = Completion.parse(json);
  const chunkChoices = choices.map(({ message, ...choice }) => {
    const calls = message?.tool_calls?.map((call, index) => ({ ...call, index }));
    return { ...choice, delta: { ...message, ...(calls ? { tool_calls: calls } : {}) } };
  });
  const events = [JSON.stringify({ ...rest, choices: chunkChoices }), DONE];
  return events.map((data) => stream.push({ event: undefined, data })).join("") + stream.end();
}
