import { ROUTE_LIST } from "../../wire/route.ts";

/** An endpoint whose answers a test gives. */
export interface FakeEndpoint extends Disposable {
  url: string;
  /** What it lists; may be changed. */
  models: string[];
  /** Inference requests that it got. */
  requests: Request[];
  /** Inference requests that it is working on. */
  active: number;
  /** It answers no check any more. */
  down: boolean;
}

/** An endpoint on a free port that lists `models` and leaves all else to `answer`. */
export function fakeEndpoint(
  models: string[],
  answer: (request: Request) => Response | Promise<Response>,
): FakeEndpoint {
  const requests: Request[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (new URL(request.url).pathname === "/v1/models") {
        if (endpoint.down) return new Response("down", { status: 503 });
        return Response.json({ object: "list", data: endpoint.models.map((id) => ({ id })) });
      }
      // The questions that tell servers apart.
      const isEmpty = request.headers.get("content-length") === "2";
      const isUsual = ROUTE_LIST.some(
        ({ path, presence }) => presence === "usual" && request.url.endsWith(path),
      );
      const status = isEmpty && isUsual ? 400 : 404;
      if (request.method === "GET" || isEmpty) return new Response("not here", { status });
      requests.push(request);
      endpoint.active += 1;
      try {
        return await answer(request);
      } finally {
        endpoint.active -= 1;
      }
    },
  });
  const endpoint: FakeEndpoint = {
    url: `http://127.0.0.1:${server.port}`,
    models,
    requests,
    active: 0,
    down: false,
    [Symbol.dispose]: () => void server.stop(true),
  };
  return endpoint;
}
