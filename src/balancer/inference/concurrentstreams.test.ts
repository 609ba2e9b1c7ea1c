import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { DONE_FRAME } from "../../wire/sse.ts";

const STREAMS = 64;
const CHUNKS = 200;

/** One event of a stream; sizes vary so that events are cut and joined in every way. */
function event(stream: number, chunk: number): string {
  const pad = "é".repeat((stream * 7 + chunk) % 97);
  return `data: ${JSON.stringify({ stream, chunk, pad })}\n\n`;
}

function textOf(stream: number): string {
  return `${Array.from({ length: CHUNKS }, (_, i) => event(stream, i)).join("")}${DONE_FRAME}`;
}

/** Splits what it sends at odd places, and yields now and then. */
function answer(stream: number): Response {
  const whole = Buffer.from(textOf(stream));
  let at = 0;
  let piece = 0;
  const body = new ReadableStream({
    async pull(controller) {
      piece += 1;
      if (piece % 16 === 0) await Bun.sleep(1);
      const end = at + 1 + ((piece * 31 + stream) % 181);
      controller.enqueue(whole.subarray(at, end));
      at = end;
      if (at >= whole.byteLength) controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

test(`${STREAMS} concurrent streams lose and reorder no byte`, async () => {
  const serve = async (request: Request) => {
    const { user } = (await request.json()) as { user: number };
    return answer(user);
  };
  using a = fakeEndpoint(["m"], serve);
  using b = fakeEndpoint(["m"], serve);
  await using front = await fakeBalancer({ a: a.url, b: b.url });
  const hashes = await Promise.all(
    Array.from({ length: STREAMS }, async (_, user) => {
      const response = await front.post("/v1/chat/completions", { model: "m", stream: true, user });
      return Bun.hash(await response.arrayBuffer());
    }),
  );
  const expected = Array.from({ length: STREAMS }, (_, stream) => Bun.hash(textOf(stream)));
  expect(hashes).toEqual(expected);
  expect(front.balancer.drain.active).toBe(0);
});
