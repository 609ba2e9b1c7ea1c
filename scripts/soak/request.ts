import { streamedText } from "../smoke/streamedtext.ts";
import { ANSWER_TOKENS, comparable, type KnownAnswer, knownChat } from "./fleet.ts";

/** How a request ended. */
export type Outcome =
  | { how: "right" }
  /** Whole, but not what the model says. */
  | { how: "wrong"; text: string }
  /** An error's status, or 200 for one that came in the stream. */
  | { how: "error"; status: number; message: string }
  /** The client left, as it meant to. */
  | { how: "left" }
  /** Neither an end nor an error came in time. */
  | { how: "hung" };

export interface SoakRequest {
  /** Base URL of the node. */
  url: string;
  model: string;
  answer: KnownAnswer;
  stream: boolean;
  /** The client leaves after this time, in ms. Default: it stays. */
  leavesMs?: number;
  /** A request that takes longer hangs. */
  hangsMs: number;
}

/** Asks a model for an answer that is known. */
export async function askKnown(request: SoakRequest): Promise<Outcome> {
  const { url, model, answer, stream, leavesMs, hangsMs } = request;
  const client = new AbortController();
  const timer = setTimeout(() => client.abort("hung"), hangsMs);
  const leaving = leavesMs === undefined ? timer : setTimeout(() => client.abort("left"), leavesMs);
  // Whoever leaves asks for more than comes before.
  const more = leavesMs === undefined ? {} : { max_tokens: ANSWER_TOKENS * 100 };
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, ...knownChat(answer.prompt, { stream, ...more }) }),
      signal: client.signal,
    });
    const body = await response.text();
    if (!response.ok) return { how: "error", status: response.status, message: body };
    const text = stream ? streamedText(body) : wholeText(body);
    if (text === undefined) return { how: "error", status: 200, message: body.slice(-500) };
    if (leavesMs !== undefined) return { how: "left" };
    return comparable(text) === answer.text ? { how: "right" } : { how: "wrong", text };
  } catch (error) {
    if (client.signal.aborted) return { how: client.signal.reason === "left" ? "left" : "hung" };
    return { how: "error", status: 0, message: String(error) };
  } finally {
    clearTimeout(timer);
    clearTimeout(leaving);
  }
}

interface Answer {
  choices?: { message?: { content?: string } }[];
}

function wholeText(body: string): string | undefined {
  return (JSON.parse(body) as Answer).choices?.[0]?.message?.content;
}
