import { apiClients } from "./apiclients.ts";
import { type Frame, frames, post, says, TINY } from "./clients.ts";
import type { StormAsk } from "./storm.ts";

/** Prompts that the tiny model answers at length, and the same way in whatever company. */
export const STORIES = ["robot", "wolf", "bear", "duck", "dog", "fox", "cat", "horse"].map(
  (hero) => `Tell me a story about a ${hero}`,
);

/** Asks for streams of the tiny model: the official clients, and one that sees every event. */
export function stormClients(url: string): Record<string, StormAsk> {
  const official = Object.entries(apiClients(url)).map(([api, { ask }]): [string, StormAsk] => [
    api,
    (prompt) => ask({ model: TINY, streams: true, prompt }),
  ]);
  return { ...Object.fromEntries(official), raw: (prompt) => askRaw(url, prompt) };
}

/** Asks for a stream by hand; `onEvent` is called with how many of its events have come. */
export async function askRaw(
  url: string,
  prompt: string,
  onEvent: (count: number) => void = () => undefined,
): Promise<unknown> {
  const body = {
    ...{ model: TINY, messages: says(prompt), max_tokens: 200 },
    ...{ stream: true, stream_options: { include_usage: true } },
  };
  const all: Frame[] = [];
  for await (const frame of frames(await post(`${url}/v1/chat/completions`, body))) {
    onEvent(all.push(frame));
  }
  return storyOf(all);
}

interface Chunk {
  id: string;
  error?: unknown;
  choices?: { delta: { role?: string; content?: string }; finish_reason: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

function storyOf(all: Frame[]) {
  const chunks = all.map(({ json }) => json as unknown as Chunk | undefined).filter((one) => !!one);
  const choices = chunks.flatMap(({ choices = [] }) => choices);
  const usage = chunks.map((chunk) => chunk.usage).find((one) => one != null);
  return {
    text: choices.map(({ delta }) => delta.content ?? "").join(""),
    ids: new Set(chunks.map(({ id }) => id)).size,
    roles: choices.filter(({ delta }) => delta.role !== undefined).length,
    finish: choices.map((one) => one.finish_reason).filter((one) => one !== null),
    usage: usage && [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens],
    error: chunks.map(({ error }) => error).find((one) => one !== undefined),
  };
}
