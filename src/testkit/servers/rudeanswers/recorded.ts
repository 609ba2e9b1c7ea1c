import { readdirSync, readFileSync } from "node:fs";
import { DONE_FRAME, eventFrame } from "../../../wire/sse.ts";
import type { ApiReply } from "../../apiclients.ts";

/** The answer of a real server or cloud, as its public documentation or users tell of it. */
export interface RecordedAnswer {
  name: string;
  about: string;
  /** Where its shape is told. */
  source: string;
  api: "chat" | "anthropic" | "google";
  /** What clients are to be told of it; `usage` are the tokens in and out. */
  says: RecordedReply | { error: string };
  /** Events, and texts for comments and `[DONE]`. */
  stream: (object | string)[];
  /** The same in one piece, where that is told. */
  whole?: object;
}

export interface RecordedReply extends Pick<ApiReply, "text" | "thoughts" | "calls" | "usage"> {
  end: "stop" | "calls";
}

const FOLDER = new URL("../../../../fixtures/answers/", import.meta.url);

/** All of `fixtures/answers`, by their names. */
export function recordedAnswers(): RecordedAnswer[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => ({
    ...(JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as RecordedAnswer),
    name: file.slice(0, -".json".length),
  }));
}

/** Serves them again: as the models of an endpoint, of Anthropic's and of Google's API. */
export interface RecordedServer extends Disposable {
  /** The endpoint; below `/anthropic` and `/google/v1beta` are the clouds. */
  url: string;
}

/** Starts it on a free port. */
export function recordedServer(answers: readonly RecordedAnswer[]): RecordedServer {
  const named = (name: unknown) => answers.find((answer) => answer.name === name);
  const chats = answers.filter(({ api }) => api === "chat");
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") {
        return Response.json({ data: chats.map(({ name }) => ({ id: name })) });
      }
      const [, google, method] = /^\/google\/v1beta\/models\/([^:]+):(\w+)/.exec(pathname) ?? [];
      if (google !== undefined) return answered(named(google), method !== "generateContent");
      if (!["/v1/chat/completions", "/anthropic/v1/messages"].includes(pathname)) {
        return new Response("no", { status: 404 });
      }
      const { model, stream } = (await request.json()) as { model?: string; stream?: boolean };
      return answered(named(model), stream === true);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** A stream also where none was asked for, if the whole answer is not known. */
function answered(answer: RecordedAnswer | undefined, streams: boolean): Response {
  if (answer === undefined) return new Response("no such model", { status: 404 });
  const { stream, whole } = answer;
  if (!streams && whole !== undefined) return Response.json(whole);
  const body = stream.map(frameOf).join("");
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function frameOf(event: object | string): string {
  if (typeof event === "string") return event.startsWith(":") ? `${event}\n\n` : DONE_FRAME;
  const type = "type" in event ? String(event.type) : undefined;
  return eventFrame(event, type);
}
