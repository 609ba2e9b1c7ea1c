import { Program } from "../program.ts";

/** A server in front of a node that knows chat completions, embeddings and models, nothing else. */
export interface ChatOnlyServer extends Disposable {
  url: string;
  /** The paths that it was asked and knows, but for those of the health checks. */
  asked: string[];
}

const POSTED = ["/v1/chat/completions", "/v1/embeddings"];

/** Starts it on a free port. It forwards to `nodeUrl`, and aborts when its client does. */
function chatOnly(nodeUrl: string): ChatOnlyServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const { method, signal, headers } = request;
      if (method === "GET" && pathname === "/v1/models") return fetch(nodeUrl + pathname);
      if (method !== "POST" || !POSTED.includes(pathname)) {
        return new Response("not here", { status: 404 });
      }
      self.asked.push(pathname);
      const type = headers.get("content-type") ?? "";
      const init = { method, signal, headers: { "content-type": type } };
      return fetch(nodeUrl + pathname, { ...init, body: await request.text() });
    },
  });
  const self: ChatOnlyServer = {
    url: `http://127.0.0.1:${server.port}`,
    asked: [],
    [Symbol.dispose]: () => void server.stop(true),
  };
  return self;
}

/** Two programs that serve the built-in model: one over every API, one over chats. */
export interface ProgramPair extends AsyncDisposable {
  /** Over a node of ours, which speaks every API itself. */
  native: Program;
  /** Over an endpoint that only knows chat completions: all else is translated. */
  translated: Program;
  /** That endpoint. */
  endpoint: ChatOnlyServer;
}

/** Starts a standalone llmlb, and a balancer that reaches its node over the chat-only server. */
export async function startPair(env: Record<string, string> = {}): Promise<ProgramPair> {
  const native = await Program.start({ env });
  const endpoint = chatOnly(native.nodeUrl);
  const stop = async () => {
    endpoint[Symbol.dispose]();
    await native.stop();
  };
  try {
    const args = ["--endpoint", `chats=${endpoint.url}`];
    const translated = await Program.start({ mode: "balancer", args, env });
    const dispose = () => translated.stop().finally(stop);
    return { native, translated, endpoint, [Symbol.asyncDispose]: dispose };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
