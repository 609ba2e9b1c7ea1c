import { asBuffer } from "../../lib/buffer.ts";
import { readExactJson } from "../../lib/json.ts";
import { memberSpan, replaceSpan } from "../../lib/jsonspan.ts";

const UNSIGNED = /"signature"\s*:\s*(?:""|null)/;

/**
 * A request for messages without the thoughts that nobody signed: those of other models, which
 * clients keep as they came from us. Anthropic refuses them, and with them the conversation, once
 * its models shall go on with it. Without such thoughts, `body` itself; nothing else of it changes.
 */
export function withoutUnsignedThoughts(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = asBuffer(body);
  if (!bytes.includes('"signature"') || !UNSIGNED.test(bytes.toString("latin1"))) return body;
  const span = memberSpan(bytes, "messages");
  if (span === undefined) return body;
  const messages = readExactJson(bytes.toString("utf8", span.start, span.end));
  if (!Array.isArray(messages)) return body;
  const kept = messages.flatMap((message: unknown) => {
    const content: unknown = Object(message).content;
    if (!Array.isArray(content) || !content.some(isUnsigned)) return [message];
    const others = content.filter((block) => !isUnsigned(block));
    return others.length === 0 ? [] : [{ ...Object(message), content: others }];
  });
  return replaceSpan(bytes, span, JSON.stringify(kept)) as Uint8Array<ArrayBuffer>;
}

function isUnsigned(block: unknown): boolean {
  const { type, signature } = Object(block) as { type?: unknown; signature?: unknown };
  return type === "thinking" && (signature === "" || signature === null);
}
