import { type Connection, connection, jsonAnswer, readRequest, send } from "./reader.ts";

/**
 * Many trivial servers in one process, each at an address of its own: raw TCP servers that list
 * models and answer chats at once. The first two serve the model `m`, the others none of it. Run as
 * `bun crowd.ts PORT ENDPOINTS MODELS`.
 */

/** The address of the endpoint number `index`; the first is 127.0.0.1. */
export function crowdHost(index: number): string {
  return `127.0.${index >> 7}.${(index & 127) + 1}`;
}

/** The models that the endpoint number `index` lists; together they list `models`. */
function modelsOf(index: number, endpoints: number, models: number): string[] {
  const others = Array.from({ length: models - 1 }, (_, i) => `other-${i}`);
  if (endpoints === 2) return ["m", ...others];
  if (index < 2) return ["m"];
  const groups = Math.min(models - 1, endpoints - 2);
  return others.filter((_, i) => i % groups === (index - 2) % groups);
}

const CHAT = jsonAnswer(
  JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [
      { index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  }),
);
const UNKNOWN = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

function listen(hostname: string, port: number, models: string[]): void {
  const data = models.map((id) => ({ id, object: "model" }));
  const list = jsonAnswer(JSON.stringify({ object: "list", data }));
  Bun.listen<Connection>({
    hostname,
    port,
    socket: {
      open(socket) {
        socket.data = connection();
      },
      data(socket, bytes) {
        const request = readRequest(socket, bytes);
        if (request === undefined) return;
        if (!request.startsWith("GET")) send(socket, CHAT);
        else send(socket, request.startsWith("GET /v1/models") ? list : UNKNOWN);
      },
      drain: (socket) => send(socket, ""),
      error: () => undefined,
    },
  });
}

if (import.meta.main) {
  const [port = 0, endpoints = 2, models = 1] = process.argv.slice(2).map(Number);
  for (let i = endpoints - 1; i >= 0; i -= 1) {
    listen(crowdHost(i), port, modelsOf(i, endpoints, models));
  }
}
