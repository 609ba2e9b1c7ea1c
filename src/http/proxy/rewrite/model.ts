import { parseExactObject } from "../../../lib/json.ts";
import { memberSpan, replaceSpan, type Span } from "../../../lib/jsonspan.ts";
import { type EventEdit, EventLines } from "./lines.ts";
import type { Rewrite, Rewritten } from "./rewrite.ts";

/** Objects of an answer that name the model: itself, or one in it (Anthropic, Responses). */
const HOLDERS = ["message", "response"];

const MODEL = '"model"';

/** A request body that names another model; nothing else of it changes. */
export function withModel(body: Uint8Array, model: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const span = memberSpan(bytes, "model");
  if (span !== undefined) return own(replaceSpan(bytes, span, JSON.stringify(model)));
  // Without one, or with its name written in escapes.
  const { model: _, ...rest } = parseExactObject(bytes.toString("utf8")) ?? {};
  return own(Buffer.from(JSON.stringify({ model, ...rest })));
}

/** Answers speak of the model by the name that the client asked for. */
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
  for (const holder of HOLDERS) {
    const held = memberSpan(bytes, holder);
    const inner = held === undefined ? undefined : memberSpan(bytes, "model", held.start);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function own(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
