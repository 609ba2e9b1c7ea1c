// The least that may stand between a client and an engine's socket: reads a body, sends it on with
// our own client and answers. Started with the socket's path and a port.
import { exchange } from "../../../src/http/client/exchange.ts";

const ANSWER_BYTES_MAX = 1024 * 1024;
const [unix, port] = process.argv.slice(2);

async function answer(request: Request): Promise<Response> {
  const body = Buffer.from(await request.arrayBuffer());
  const url = `http://engine${new URL(request.url).pathname}`;
  const headers = { "content-type": "application/json" };
  const sent = exchange({ url, unix, method: "POST", headers, body, keepAlive: true });
  const { status } = await sent.head;
  const bytes = await sent.bytes(ANSWER_BYTES_MAX);
  return new Response(Buffer.from(bytes), { status, headers });
}

Bun.serve({ hostname: "127.0.0.1", port: Number(port), fetch: answer });
