/** An endpoint that speaks the Responses API and keeps what it makes. */
export interface KeepingEndpoint extends Disposable {
  url: string;
  /** Methods, paths and queries of the requests for what it keeps. */
  asked: string[];
}

interface Kept {
  id: string;
  object: "response";
  status: string;
  background: boolean;
  model: string;
  output: object[];
  previous_response_id: string | null;
}

interface Asked {
  model?: string;
  input?: unknown;
  stream?: boolean;
  background?: boolean;
  previous_response_id?: string;
}

const PATH = "/v1/responses";

/** Starts it on a free port, with the model `model`; ids of its responses begin with `name`. */
export function keepingEndpoint(name: string, model = "m"): KeepingEndpoint {
  const kept = new Map<string, Kept>();
  const asked: string[] = [];
  let made = 0;

  async function make(request: Request): Promise<Response> {
    const given = (await request.json()) as Asked;
    if (given.model === undefined) return failure(400, "no model");
    const { previous_response_id = null, background = false } = given;
    if (previous_response_id !== null && !kept.has(previous_response_id)) {
      return failure(400, `Previous response with id '${previous_response_id}' not found.`);
    }
    made += 1;
    const response: Kept = {
      ...{ id: `resp_${name}_${made}`, object: "response", model: given.model, background },
      ...{ status: background ? "queued" : "completed", output: [], previous_response_id },
    };
    kept.set(response.id, response);
    return given.stream === true ? eventsOf(response, -1) : Response.json(response);
  }

  function get(id: string, tail: string, { method, url }: Request): Response {
    const query = new URL(url).searchParams;
    const response = kept.get(id);
    if (response === undefined) return failure(404, `Response with id '${id}' not found.`);
    if (method === "DELETE") {
      kept.delete(id);
      return Response.json({ id, object: "response", deleted: true });
    }
    if (tail === "cancel" && method === "POST") {
      if (!response.background) return failure(400, "Only background responses are cancelled.");
      response.status = "cancelled";
      return Response.json(response);
    }
    if (tail === "input_items") {
      const items = [{ id: `msg_${id}`, type: "message", role: "user", content: [] }];
      const data = items.slice(0, Number(query.get("limit") ?? 20));
      return Response.json({ object: "list", data, has_more: false });
    }
    if (query.get("stream") !== "true") return Response.json(response);
    return eventsOf(response, Number(query.get("starting_after") ?? -1));
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: model }] });
      if (pathname === PATH && request.method === "POST") return make(request);
      const [, id, , tail = ""] = /^\/v1\/responses\/([^/]+)(\/(\w+))?$/.exec(pathname) ?? [];
      if (id === undefined) return new Response("not here", { status: 404 });
      asked.push(`${request.method} ${pathname}${search}`);
      return get(id, tail, request);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, asked, [Symbol.dispose]: () => void server.stop(true) };
}

/** The events of a response behind a number. */
function eventsOf(response: Kept, after: number): Response {
  const events = ["response.created", "response.in_progress", "response.completed"].map(
    (type, sequence_number) => ({ type, sequence_number, response }),
  );
  const text = events
    .filter(({ sequence_number }) => sequence_number > after)
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return new Response(text.join(""), { headers: { "content-type": "text/event-stream" } });
}

function failure(status: number, message: string): Response {
  const error = { message, type: "invalid_request_error", param: null, code: null };
  return Response.json({ error }, { status });
}
