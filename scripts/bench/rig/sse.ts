import { exchange } from "../../../src/http/client/exchange.ts";
import { now, STREAM_END, STREAM_EVENTS } from "./upstream.ts";

/** What a round of concurrent streams saw. */
export interface SseRound {
  /** From the sending of each event to its arrival, in milliseconds. */
  delaysMs: number[];
  /** Streams that lacked an event, had one twice, out of order or damaged. */
  damaged: number;
}

/** Opens `streams` streams at once and checks every event of each. */
export async function sseRound(url: string, streams: number): Promise<SseRound> {
  const delaysMs: number[] = [];
  const whole = await Promise.all(
    Array.from({ length: streams }, (_, user) => readStream(url, user, delaysMs)),
  );
  return { delaysMs, damaged: whole.filter((ok) => !ok).length };
}

async function readStream(url: string, user: number, delaysMs: number[]): Promise<boolean> {
  const ask = { model: "m", stream: true, user: String(user), messages: [] };
  // Bun's fetch would hold back all but 256.
  const answer = exchange({
    url: `${url}/v1/chat/completions`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(ask)),
    keepAlive: false,
  });
  if ((await answer.head).status !== 200) return false;
  const decoder = new TextDecoder();
  let rest = "";
  let expected = 0;
  for (;;) {
    const bytes = await answer.read();
    if (bytes === undefined) break;
    const arrivedAt = now();
    const events = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      if (event === STREAM_END) continue;
      const sentAt = check(event, { user, index: expected });
      if (sentAt === undefined) return false;
      delaysMs.push(arrivedAt - sentAt);
      expected += 1;
    }
  }
  return expected === STREAM_EVENTS && rest === "";
}

/** When the event was sent, or undefined if it is not the expected one. */
function check(event: string, expected: { user: number; index: number }): number | undefined {
  if (!event.startsWith("data: ") || !event.endsWith("}")) return undefined;
  const { user, index, sent_at: sentAt, text } = JSON.parse(event.slice(6));
  if (user !== expected.user || index !== expected.index) return undefined;
  return text === "token ".repeat(1 + ((user + index) % 12)) ? sentAt : undefined;
}
