import { z } from "zod";
import { parseExactObject } from "../lib/json.ts";
import { ApiError } from "../wire/error.ts";
import { DONE, EventReader } from "../wire/sse.ts";
import { readUpstreamError } from "../wire/upstreamerror.ts";
import { reportsError } from "./chat/chunk.ts";
import { ChunkChoice, WholeChoice } from "./wholechoice.ts";

/** A chunk, of which little has to be right. */
const Chunk = z.looseObject({
  object: z.string().nullish(),
  choices: z.array(ChunkChoice).nullish(),
  usage: z.unknown().optional(),
});
const WholeAnswer = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({}) })).min(1),
});
const LastOfResponse = z.looseObject({
  type: z.enum(["response.completed", "response.incomplete", "response.failed"]),
  response: z.looseObject({}),
});

/**
 * The answer in one piece of a stream that nobody asked for, as some servers send it: of (chat)
 * completions and of responses. Undefined for a stream of something else. Throws `upstream` where
 * the stream tells of an error or ends too early.
 */
export function wholeFromStream(bytes: Uint8Array): Uint8Array | undefined {
  const reader = new EventReader();
  const all = [...reader.push(bytes), ...reader.end()];
  const end = all.findIndex(({ data }) => data.trim() === DONE);
  const events = end === -1 ? all : all.slice(0, end);
  const read = events.map(({ data }) => parseExactObject(data));
  const jsons = read.filter((json) => json !== undefined);
  for (const json of jsons) if (reportsError(json.error)) throw failure(json);
  const last = LastOfResponse.safeParse(jsons.at(-1)).data;
  if (last !== undefined) return encode(last.response);
  const [only] = jsons;
  if (only !== undefined && jsons.length === 1 && isWhole(only)) return encode(only);
  const chunks = jsons.map((json) => Chunk.safeParse(json).data).filter(isThere);
  const first = chunks.find((chunk) => chunk.choices?.length) ?? chunks[0];
  if (first?.choices === undefined) return undefined;
  const choices = new Map<number, WholeChoice>();
  for (const piece of chunks.flatMap((chunk) => chunk.choices ?? [])) {
    const choice = choices.get(piece.index) ?? new WholeChoice(piece.index);
    choices.set(piece.index, choice);
    choice.add(piece);
  }
  const isFinished = [...choices.values()].every((choice) => choice.isFinished);
  if (choices.size === 0 || !(end !== -1 || isFinished)) throw cut();
  const usage = chunks.findLast((chunk) => countsAnything(chunk.usage))?.usage;
  return encode({
    ...first,
    ...{ object: first.object?.replace(/\.chunk$/, ""), usage },
    choices: [...choices.values()].map((choice) => choice.json()),
  });
}

/** Some send the whole answer as their only event. */
function isWhole(json: object): boolean {
  return WholeAnswer.safeParse(json).success;
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function countsAnything(usage: unknown): boolean {
  return isObject(usage) && Object.values(usage).some((value) => value != null);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function encode(json: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}

function failure(json: object): ApiError {
  return new ApiError("upstream", readUpstreamError(502, json).message);
}

function cut(): ApiError {
  const message = "The endpoint's answer could not be read: its stream ended too early.";
  return new ApiError("upstream", message);
}
