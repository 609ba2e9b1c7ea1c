import { afterAll, expect, test } from "bun:test";
import { rawClient } from "../../testkit/servers/tcp.ts";
import { ApiError } from "../../wire/error.ts";
import { readForm } from "../server/form.ts";
import { forward } from "./forward.ts";

/** A form on its way from a client, through us, to a target: real sockets at both ends. */

const B = "----border";
const FIELD = `--${B}\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n`;
const FILE = `--${B}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`;
const END = `\r\n--${B}--\r\n`;

const target = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const type = request.headers.get("content-type");
    const form = await request.formData();
    const file = form.get("file");
    const size = file instanceof File ? file.size : -1;
    return Response.json({ type, model: form.get("model"), size });
  },
});

let failure: unknown;
const front = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const isEnough = () => true;
    const form = await readForm(request, { limitBytes: 500_000, isEnough });
    try {
      const { response } = await forward({
        target: { url: target.url.href, label: "endpoint e" },
        ...{ method: "POST", headers: request.headers, body: form.body(), requestId: "r" },
        ...{ dialect: "openai", caller: request },
        ...{ firstByteTimeoutMs: 5000, idleTimeoutMs: 5000 },
      });
      return response;
    } catch (error) {
      failure = error;
      return new Response(null, { status: error instanceof ApiError ? error.status : 500 });
    } finally {
      await form.close();
    }
  },
});

afterAll(() => {
  front.stop(true);
  target.stop(true);
});

test.each(["with a length", "in chunks"])("a form %s arrives as it was sent", async (how) => {
  const text = FIELD + FILE + "x".repeat(300_000) + END;
  async function* stream() {
    for (let at = 0; at < text.length; at += 50_000) yield text.slice(at, at + 50_000);
  }
  const body = how === "in chunks" ? (stream() as unknown as BodyInit) : text;
  const headers = { "content-type": `multipart/form-data; boundary=${B}` };
  const answer = await fetch(front.url, { method: "POST", headers, body });
  expect(await answer.json()).toEqual({
    ...{ type: `multipart/form-data; boundary=${B}`, model: "m", size: 300_000 },
  });
});

test("one that becomes too large on its way is the client's fault, not the target's", async () => {
  async function* stream() {
    yield FIELD + FILE;
    for (let i = 0; i < 20; i += 1) {
      yield "x".repeat(50_000);
      await Bun.sleep(1);
    }
    yield END;
  }
  const headers = { "content-type": `multipart/form-data; boundary=${B}` };
  const body = stream() as unknown as BodyInit;
  const answer = await fetch(front.url, { method: "POST", headers, body });
  expect(answer.status).toBe(413);
  expect(failure).toMatchObject({ kind: "body_too_large" });
});

test("a client that goes while it sends is told of as such", async () => {
  failure = undefined;
  const client = await rawClient(front.url.href);
  const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 400000\r\n`;
  client.send(`${head}content-type: multipart/form-data; boundary=${B}\r\n\r\n${FIELD}${FILE}xx`);
  await Bun.sleep(20);
  client.reset();
  while (failure === undefined) await Bun.sleep(5);
  expect(["client_closed", "invalid_request"]).toContain((failure as ApiError).kind);
});
