import { expect, setDefaultTimeout, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { type Frame, frames, post } from "../../testkit/clients.ts";
import { brokenStreams } from "../../testkit/storm.ts";
import { DONE_FRAME, eventFrame } from "../../wire/sse.ts";

setDefaultTimeout(30_000);

const WORDS = ["Once", " upon", " a", " time", "."];
const CHAT = { model: "m", messages: [{ role: "user", content: "Tell me" }], stream: true };

interface Message {
  role: string;
  content: string;
}

/** A vLLM that says two words and hangs, unless it is asked to go on with them. */
function storyteller(port = 0) {
  return Bun.serve({
    port,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    routes: {
      "/v1/models": Response.json({ data: [{ id: "m", owned_by: "vllm", max_model_len: 4096 }] }),
      "/v1/chat/completions": {
        async POST(request) {
          const { messages = [] } = (await request.json()) as { messages?: Message[] };
          const last = messages.at(-1);
          if (last === undefined) return new Response("no", { status: 400 });
          const goesOn = last.role === "assistant";
          const said = goesOn
            ? WORDS.filter((word) => !last.content.includes(word))
            : WORDS.slice(0, 2);
          return new Response(streamOf(said, goesOn), {
            headers: { "content-type": "text/event-stream" },
          });
        },
      },
    },
    fetch: () => new Response("not here", { status: 404 }),
  });
}

function streamOf(words: string[], ends: boolean): ReadableStream<string> {
  const event = (delta: object, finish_reason: string | null = null) =>
    eventFrame({ id: "c", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason }] });
  return new ReadableStream<string>({
    start(controller) {
      for (const content of words) controller.enqueue(event({ content }));
      if (!ends) return;
      controller.enqueue(event({}, "stop") + DONE_FRAME);
      controller.close();
    },
  });
}

/** A balancer in front of one, whose kind it has found out. */
async function inFrontOf(url: string, queueTimeoutMs: number): Promise<FakeBalancer> {
  const front = await fakeBalancer({ a: url }, { queueTimeoutMs, healthIntervalMs: 300 });
  await front.untilKnown("vllm");
  return front;
}

interface Chunk {
  error?: { code: string };
  choices?: { delta: { content?: string } }[];
}

/** A stream that is read as far as its first words. */
async function begun({ url }: FakeBalancer) {
  const stream = frames(await post(`${url}/v1/chat/completions`, CHAT));
  const chunks: Chunk[] = [];
  const take = ({ json }: Frame) => void (json && chunks.push(json as Chunk));
  const textOf = () => chunks.map(({ choices }) => choices?.[0]?.delta.content ?? "").join("");
  while (textOf() !== "Once upon") {
    const { value, done } = await stream.next();
    if (done) throw new Error("it ended");
    take(value);
  }
  return async () => {
    for await (const frame of stream) take(frame);
    return { text: textOf(), error: chunks.find(({ error }) => error)?.error?.code };
  };
}

test("a stream goes on at the only endpoint when that is back", async () => {
  const first = storyteller();
  const { port } = first;
  await using front = await inFrontOf(first.url.origin, 10_000);
  const rest = await begun(front);
  await first.stop(true);
  const reading = rest();
  await front.until("a", "offline");
  const second = storyteller(port);
  expect(await reading).toEqual({ text: WORDS.join(""), error: undefined });
  expect(await brokenStreams(front.url)).toMatchObject({ continued: 1 });
  await second.stop(true);
});

test("a stream whose only endpoint stays away ends with an error", async () => {
  const only = storyteller();
  await using front = await inFrontOf(only.url.origin, 700);
  const rest = await begun(front);
  await only.stop(true);
  expect(await rest()).toEqual({ text: "Once upon", error: "upstream" });
  expect(await brokenStreams(front.url)).toMatchObject({ failed: 1 });
});

test("a stream does not wait for an endpoint that is drained", async () => {
  const only = storyteller();
  await using front = await inFrontOf(only.url.origin, 60_000);
  const rest = await begun(front);
  const { endpoints } = await (await fetch(`${front.url}/api/endpoints`)).json();
  await front.post(`/api/endpoints/${endpoints[0].id}/drain`, {});
  await only.stop(true);
  expect((await rest()).text).toBe("Once upon");
  expect(await brokenStreams(front.url)).toMatchObject({ failed: 1 });
});
