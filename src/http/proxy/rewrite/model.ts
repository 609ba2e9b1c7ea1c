import { asBuffer } from "../../../lib/buffer.ts";
import { memberSpan, replaceSpan, type Span } from "../../../lib/jsonspan.ts";
import { type EventEdit, EventLines } from "./lines.ts";
import type { Rewrite, Rewritten } from "./rewrite.ts";

/** Members of an answer that may name the model in its place (Anthropic, Responses). */
const CONTAINERS = ["message", "response"];

const CLOSE = 0x7d;

const MODEL = Buffer.from('"model"');

/** A request body with `model` as its model; no other byte of it changes. */
export function withModel(body: Uint8Array, model: string): Uint8Array<ArrayBuffer> {
  const bytes = asBuffer(body);
  const span = memberSpan(bytes, "model");
  if (span !== undefined) return own(replaceSpan(bytes, span, JSON.stringify(model)));
  const open = bytes.indexOf("{");
  let first = open + 1;
  while ((bytes[first] ?? CLOSE) <= 0x20) first += 1;
  const comma = bytes[first] === CLOSE ? "" : ",";
  const head = Buffer.from(`{"model":${JSON.stringify(model)}${comma}`);
  return own(Buffer.concat([head, bytes.subarray(open + 1)]));
}

/** Replaces the model's name in answers by the name that the client used. */
export class ModelRewrite implements Rewrite, EventEdit {
  readonly needle = MODEL;
  readonly #name: string;

  constructor(model: string) {
    this.#name = JSON.stringify(model);
  }

  whole(bytes: Buffer): Rewritten {
    return { bytes: this.#renamed(bytes) ?? bytes };
  }

  stream(type?: string): EventLines {
    return new EventLines([this], type);
  }

  edit(data: Buffer): Buffer[] {
    return [data.includes(MODEL) ? (this.#renamed(data) ?? data) : data];
  }

  #renamed(bytes: Buffer): Buffer | undefined {
    const span = spanOfModel(bytes);
    return span === undefined ? undefined : replaceSpan(bytes, span, this.#name);
  }
}

function spanOfModel(bytes: Buffer): Span | undefined {
  const span = memberSpan(bytes, "model");
  if (span !== undefined) return span;
  for (const name of CONTAINERS) {
    const container = memberSpan(bytes, name);
    const inner = container === undefined ? undefined : memberSpan(bytes, "model", container.start);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function own(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
