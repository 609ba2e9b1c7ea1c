import { parseObject } from "../../lib/json.ts";
import { isObject } from "./schemaparts.ts";

/** Members of messages that clients send as null, which llama.cpp (v0.5.0) takes for no text. */
const NULLABLE = ["tool_call_id", "name"];

/** The engine gives up on arguments that are nested deeper; no model writes such. */
const ARGUMENTS_DEPTH_MAX = 100;

/**
 * Mends what stands in a chat's history and would be refused for ever: arguments of tool calls that
 * are no JSON object, because a model wrote them or was cut off, and absent members as null. The
 * text of such arguments goes on inside of an object. Returns the same object if all is right.
 */
export function withReadableHistory(chat: Record<string, unknown>): Record<string, unknown> {
  const { messages } = chat;
  if (!Array.isArray(messages)) return chat;
  const read = messages.map(readableMessage);
  return read.every((message, i) => message === messages[i]) ? chat : { ...chat, messages: read };
}

function readableMessage(message: unknown): unknown {
  if (!isObject(message)) return message;
  const { tool_calls: calls } = message;
  const absent = NULLABLE.filter((key) => message[key] === null);
  const read = Array.isArray(calls) ? calls.map(readableCall) : [];
  const hasChanged = Array.isArray(calls) && read.some((call, index) => call !== calls[index]);
  if (absent.length === 0 && !hasChanged) return message;
  const kept = Object.entries(message).filter(([key]) => !absent.includes(key));
  return { ...Object.fromEntries(kept), ...(hasChanged ? { tool_calls: read } : {}) };
}

function readableCall(call: unknown): unknown {
  if (!isObject(call) || !isObject(call.function)) return call;
  const { arguments: given } = call.function;
  const isReadable = typeof given === "string" ? isArguments(given) : isObject(given);
  if (isReadable) return call;
  return { ...call, function: { ...call.function, arguments: asArguments(given) } };
}

function isArguments(text: string): boolean {
  return parseObject(text) !== undefined && depthOf(text) <= ARGUMENTS_DEPTH_MAX;
}

function asArguments(given: unknown): string {
  const text = typeof given === "string" ? given.trim() : JSON.stringify(given ?? "");
  return text === "" || text === '""' ? "{}" : JSON.stringify({ arguments: text });
}

/** How deep the brackets of a JSON text are nested. */
function depthOf(json: string): number {
  let [depth, deepest] = [0, 0];
  for (const [sign] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (sign === "[" || sign === "{") deepest = Math.max(deepest, ++depth);
    else if (sign === "]" || sign === "}") depth -= 1;
  }
  return deepest;
}
