import { z } from "zod";
import { ROUTES } from "../wire/route.ts";
import { DONE } from "../wire/sse.ts";
import type { Translation } from "./translation.ts";

/** The field in which a whole answer and a chunk differ: chunks number their tool calls. */
const Completion = z.looseObject({
  object: z.string().nullish(),
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
  const events = [JSON.stringify(chunkOfAnswer(json)), DONE];
  return events.map((data) => stream.push({ event: undefined, data })).join("") + stream.end();
}

/** The only chunk of a stream that says what a whole (chat) completion says; else undefined. */
export function chunkOfAnswer(json: unknown): { choices: object[] } | undefined {
  const completion = Completion.safeParse(json).data;
  if (completion === undefined) return undefined;
  const { choices, object, ...rest } = completion;
  const chunkChoices = choices.map(({ message, ...choice }) => {
    if (message === undefined) return choice;
    const calls = message.tool_calls?.map((call, index) => withTextArguments({ index, ...call }));
    return { ...choice, delta: { ...message, ...(calls ? { tool_calls: calls } : {}) } };
  });
  const kind = object === "chat.completion" ? "chat.completion.chunk" : object;
  return { ...rest, ...(kind == null ? {} : { object: kind }), choices: chunkChoices };
}

/** Pieces of arguments are texts, also where a whole call has an object. */
function withTextArguments(call: object): object {
  const called = Called.safeParse(call).data?.function;
  if (called === undefined || typeof called.arguments !== "object") return call;
  return { ...call, function: { ...called, arguments: JSON.stringify(called.arguments) } };
}

const Called = z.looseObject({
  function: z.looseObject({ arguments: z.unknown().optional() }).optional(),
});
