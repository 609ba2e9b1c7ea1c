import { z } from "zod";
import { mapInTurns } from "../lib/eventloop.ts";
import { parseExactObject } from "../lib/json.ts";
import { AT_ONCE_BYTES_MAX } from "../lib/jsonturns.ts";
import { ApiError } from "../wire/error.ts";
import { DONE, EventReader, type ServerEvent } from "../wire/sse.ts";
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

/** So many bytes of a long stream are read at once. */
const PIECE_BYTES = 16 * 1024;

/** An event of a stream, as it was read. */
interface ReadEvent {
  /** Nothing counts behind it. */
  isEnd: boolean;
  json: Record<string, unknown> | undefined;
  chunk: z.infer<typeof Chunk> | undefined;
}

/**
 * The answer in one piece of a stream that nobody asked for, as some servers send it: of (chat)
 * completions and of responses; of a long one in many turns of the event loop. Undefined for a
 * stream of something else. Throws (rejects with) `upstream` where the stream tells of an error or
 * ends too early.
 */
export function wholeFromStream(
  bytes: Uint8Array,
): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  const reader = new EventReader();
  const read = (piece: Uint8Array) => reader.push(piece).map(readEvent);
  const made = (events: ReadEvent[]) => madeOf([...events, ...reader.end().map(readEvent)]);
  if (bytes.byteLength <= AT_ONCE_BYTES_MAX) return made(read(bytes));
  return mapInTurns(piecesOf(bytes), read).then((events) => made(events.flat()));
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

function readEvent({ data }: ServerEvent): ReadEvent {
  const json = parseExactObject(data);
  return { isEnd: data.trim() === DONE, json, chunk: json && Chunk.safeParse(json).data };
}

function madeOf(all: ReadEvent[]): Uint8Array | undefined {
  const end = all.findIndex(({ isEnd }) => isEnd);
  const events = end === -1 ? all : all.slice(0, end);
  const jsons = events.map(({ json }) => json).filter(isThere);
  for (const json of jsons) if (reportsError(json.error)) throw failure(json);
  const last = LastOfResponse.safeParse(jsons.at(-1)).data;
  if (last !== undefined) return encode(last.response);
  const [only] = jsons;
  if (only !== undefined && jsons.length === 1 && isWhole(only)) return encode(only);
  const chunks = events.map(({ chunk }) => chunk).filter(isThere);
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
