import OpenAI from "openai";
import { NodeSystem } from "../wire/system.ts";
import type { Program } from "./program.ts";

/** The built-in model. */
export const TINY = "llmlb-tiny";

/** The official client against a program; it sends each request once. */
export function openai({ url }: Pick<Program, "url">): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
}

/** A conversation of one user message. */
export function says(content: string) {
  return [{ role: "user" as const, content }];
}

/** Sends JSON by POST. */
export function post(url: string, body: object, init: RequestInit = {}): Promise<Response> {
  const headers = { "content-type": "application/json", ...init.headers };
  return fetch(url, { method: "POST", body: JSON.stringify(body), ...init, headers });
}

/** One frame of an event stream. `json` is undefined for `[DONE]`. */
export interface Frame {
  event: string | undefined;
  data: string;
  json: Record<string, unknown> | undefined;
}

/** The frames of an event stream as they come. Throws on a line that is no frame, or a cut one. */
export async function* frames(response: Response): AsyncGenerator<Frame> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream") || response.body === null) {
    throw new Error(`no event stream: ${response.status} ${await response.text()}`);
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of response.body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const frame = readFrame(block);
      if (frame !== undefined) yield frame;
    }
  }
  if (rest.trim() !== "") throw new Error(`the stream ends within a frame: ${rest}`);
}

/** Reads all frames to the end. */
export async function allFrames(response: Response): Promise<Frame[]> {
  return Array.fromAsync(frames(response));
}

function readFrame(block: string): Frame | undefined {
  let event: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trim());
    else if (line !== "" && !line.startsWith(":")) throw new Error(`not an event stream: ${line}`);
  }
  if (data.length === 0) return undefined; // a comment, or an empty line
  const text = data.join("\n");
  return { event, data: text, json: text === "[DONE]" ? undefined : JSON.parse(text) };
}

/** What a node without keys tells of itself. */
export async function systemOf(nodeUrl: string): Promise<NodeSystem> {
  return NodeSystem.parse(await (await fetch(`${nodeUrl}/api/system`)).json());
}

/** How many slots of a model are busy, as its node tells. */
export async function busySlots(nodeUrl: string, model: string): Promise<number> {
  const response = await fetch(`${nodeUrl}/slots?model=${model}`);
  const slots = (await response.json()) as { is_processing: boolean }[];
  return slots.filter(({ is_processing: busy }) => busy).length;
}
