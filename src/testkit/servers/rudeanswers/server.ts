import { type ChatAnswer, politeAnswer, type Scenario } from "./answer.ts";
import type { RudeMode } from "./modes.ts";

/** An endpoint of the stand-in: it is rude in one way. */
export interface RudeHost {
  /** Its name, and that of its only model. */
  name: string;
  mode: RudeMode;
  /** It sends JSON where a stream is asked for, and a stream where one piece is. */
  crosses?: boolean;
  /** Its list of models. Default: as OpenAI documents it. */
  list?: () => Response;
}

/** Endpoints that speak chat completions only, each rude in a way of its own, on one port. */
export interface RudeServer extends Disposable {
  /** The address of an endpoint. */
  urlOf(name: string): string;
  /** The latest body of a chat that an endpoint was sent. */
  askedOf(name: string): string;
}

/** Starts them on a free port. */
export function rudeServer(endpoints: readonly RudeHost[]): RudeServer {
  const byName = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
  const bodies = new Map<string, string>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const [, name = "", ...path] = new URL(request.url).pathname.split("/");
      const endpoint = byName.get(name);
      if (endpoint !== undefined && path.join("/") === "v1/models") {
        return endpoint.list?.() ?? Response.json({ object: "list", data: [{ id: name }] });
      }
      if (endpoint === undefined || path.join("/") !== "v1/chat/completions") {
        return new Response("no", { status: 404 });
      }
      const text = await request.text();
      bodies.set(name, text);
      const asked = JSON.parse(text) as { stream?: boolean; tools?: unknown };
      const scenario = asked.tools === undefined ? "text" : "tools";
      const streams = (asked.stream === true) !== (endpoint.crosses === true);
      return endpoint.mode.respond(answerOf(endpoint.mode, scenario), streams);
    },
  });
  return {
    urlOf: (name) => `http://127.0.0.1:${server.port}/${name}`,
    askedOf: (name) => bodies.get(name) ?? "",
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** What an endpoint of a mode says, before it is sent. */
export function answerOf(mode: RudeMode, scenario: Scenario): ChatAnswer {
  const answer = politeAnswer(scenario);
  mode.change(answer);
  return answer;
}
