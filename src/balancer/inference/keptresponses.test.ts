import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";

const PATH = "/v1/responses";

/** An endpoint that keeps the responses it makes; their ids begin with its name. */
function keeping(name: string) {
  let made = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: "m" }] });
      if (pathname !== PATH) return new Response("not here", { status: 404 });
      const { model, stream } = (await request.json()) as { model?: string; stream?: boolean };
      if (model === undefined) return new Response("no model", { status: 400 });
      made += 1;
      const response = { id: `resp_${name}_${made}`, object: "response", status: "completed" };
      if (stream !== true) return Response.json(response);
      const event = { type: "response.completed", sequence_number: 0, response };
      const headers = { "content-type": "text/event-stream" };
      const text = `event: response.completed\ndata: ${JSON.stringify(event)}\n\n`;
      return new Response(text, { headers });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, [Symbol.dispose]: () => void server.stop(true) };
}

async function idOf(answer: Response): Promise<string> {
  return /resp_\w+/.exec(await answer.text())?.[0] ?? `none: ${answer.status}`;
}

test.each([false, true])(
  "a response goes on at the endpoint that made it; streamed: %p",
  async (stream) => {
    using a = keeping("a");
    using b = keeping("b");
    await using front = await fakeBalancer({ a: a.url, b: b.url }, { strategy: "round-robin" });
    const ask = (more: object) => front.post(PATH, { model: "m", input: "hi", stream, ...more });
    // What routes they have is found out after the first check.
    const first = await eventually(async () => {
      const id = await idOf(await ask({}));
      return /^resp_[ab]_/.test(id) ? id : undefined;
    });
    let previous_response_id = first;
    for (let turn = 0; turn < 6; turn += 1) {
      const next = await idOf(await ask({ previous_response_id }));
      expect(next.slice(0, 7)).toBe(first.slice(0, 7));
      previous_response_id = next;
    }
  },
);

test("a response that no endpoint is known to keep is refused", async () => {
  using a = keeping("a");
  await using front = await fakeBalancer({ a: a.url });
  const answer = await front.post(PATH, { model: "m", previous_response_id: "resp_x" });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: "unsupported_state" } });
});
