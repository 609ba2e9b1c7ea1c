import { type EventEdit, EventLines } from "../../http/proxy/rewrite/lines.ts";
import type { Rewrite, Rewritten, StreamRewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { STREAM_ENDS, StreamEndCheck } from "../../http/proxy/rewrite/streamend.ts";
import { parseExactObject } from "../../lib/json.ts";
import { AT_ONCE_BYTES_MAX, readInTurns } from "../../lib/jsonturns.ts";
import { unreadableAnswer } from "../../translation/errors.ts";
import { chunkOfAnswer } from "../../translation/singlechunk.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import { DONE_FRAME, eventFrame } from "../../wire/sse.ts";

const EVENTS = "text/event-stream";

/**
 * The answer to a request for a stream of text, by an upstream that speaks the client's API: it
 * passes as it comes, but one that simply ends is an error, and a whole (chat) completion becomes
 * the stream that was asked for. Undefined for other routes.
 */
export function plainRewrite(
  { name }: Pick<InferenceRoute, "name">,
  inner?: Rewrite,
): Rewrite | undefined {
  const end = STREAM_ENDS[name];
  if (end === undefined) return inner;
  const isCompletion = name === "chat" || name === "generate";
  const stream = (type: string) => new StreamEndCheck(end, inner?.stream(type));
  return {
    stream,
    whole: (bytes, status) => {
      const others = () => inner?.whole(bytes, status) ?? { bytes };
      if (!isCompletion || status >= 400) return others();
      const made = (json: unknown) => streamOf(json, stream(EVENTS)) ?? others();
      return bytes.byteLength <= AT_ONCE_BYTES_MAX
        ? made(parseExactObject(bytes.toString("utf8")))
        : readInTurns(bytes).then((answer) => made(answer?.value));
    },
  };
}

/** A whole (chat) completion as a stream. Throws `upstream` for one that says nothing. */
function streamOf(json: unknown, stream: StreamRewrite): Rewritten | undefined {
  const chunk = chunkOfAnswer(json);
  if (chunk === undefined) return undefined;
  if (chunk.choices.length === 0) throw unreadableAnswer("it has no choices");
  const events = stream.push(Buffer.from(eventFrame(chunk) + DONE_FRAME));
  return { bytes: events ?? new Uint8Array(), headers: { "content-type": EVENTS } };
}

const MESSAGE = Buffer.from('"message"');

/** Writes events that are whole (chat) completions, as some servers send them, as chunks. */
class WholeEventEdit implements EventEdit {
  readonly needle = MESSAGE;

  edit(data: Buffer): Buffer[] {
    if (!data.includes(MESSAGE)) return [data];
    const json = parseExactObject(data.toString("utf8"));
    const isWhole = Array.isArray(json?.choices) && json.choices.some(hasMessage);
    const chunk = isWhole ? chunkOfAnswer(json) : undefined;
    return [chunk === undefined ? data : Buffer.from(JSON.stringify(chunk))];
  }
}

function hasMessage(choice: unknown): boolean {
  return (
    typeof choice === "object" && choice !== null && "message" in choice && !("delta" in choice)
  );
}

/** Edits of the events of (chat) completions, that which makes chunks of whole answers first. */
export function completionLines(edits: readonly EventEdit[]): EventLines {
  return new EventLines([new WholeEventEdit(), ...edits]);
}
