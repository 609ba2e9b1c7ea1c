/**
 * A server for speech and images, as OpenAI's API reference has them. What it makes tells what it
 * was asked: the bytes of speech are the text's, the images are the prompt in base64.
 */
export interface MediaServer extends Disposable {
  url: string;
  /** What it was asked, forms in the order of their fields, files by name and size. */
  asked: { path: string; type: string; fields: Record<string, unknown> }[];
}

/** Starts it on a free port; it lists these models. */
export function mediaServer(models: string[]): MediaServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname: path } = new URL(request.url);
      if (path === "/v1/models") {
        return Response.json({ object: "list", data: models.map((id) => ({ id })) });
      }
      const fields = await fieldsOf(request);
      if (request.method !== "POST" || ANSWERS[path] === undefined) {
        return new Response("no", { status: 404 });
      }
      if (fields.model === undefined) return refused("you must provide a model parameter");
      const type = (request.headers.get("content-type") ?? "").split(";")[0] ?? "";
      self.asked.push({ path, type, fields });
      return ANSWERS[path](fields);
    },
  });
  const self: MediaServer = {
    url: `http://127.0.0.1:${server.port}`,
    asked: [],
    [Symbol.dispose]: () => void server.stop(true),
  };
  return self;
}

type Fields = Record<string, unknown>;

async function fieldsOf(request: Request): Promise<Fields> {
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("multipart/")) return request.json().catch(() => ({})) as Promise<Fields>;
  const form = await request.formData();
  const told = (value: FormDataEntryValue) =>
    typeof value === "string" ? value : `${value.name} ${value.size}`;
  return Object.fromEntries([...form].map(([name, value]) => [name, told(value)]));
}

function refused(message: string): Response {
  const error = { message, type: "invalid_request_error", param: null, code: null };
  return Response.json({ error }, { status: 400 });
}

const ANSWERS: Record<string, (fields: Fields) => Response> = {
  "/v1/audio/speech": ({ input }) =>
    new Response(`mp3:${input}`, { headers: { "content-type": "audio/mpeg" } }),
  "/v1/audio/transcriptions": heard,
  "/v1/audio/translations": heard,
  "/v1/images/generations": painted,
  "/v1/images/edits": painted,
  "/v1/images/variations": painted,
};

function heard({ response_format: format, stream }: Fields): Response {
  if (stream === "true") {
    const events = [
      { type: "transcript.text.delta", delta: "One " },
      { type: "transcript.text.delta", delta: "two." },
      { type: "transcript.text.done", text: "One two." },
    ];
    const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    return new Response(text, { headers: { "content-type": "text/event-stream" } });
  }
  if (format === "srt") {
    const text = "1\n00:00:00,000 --> 00:00:01,000\nOne two.\n";
    return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
  }
  if (format !== "verbose_json") return Response.json({ text: "One two." });
  const segments = [{ id: 0, start: 0, end: 1, text: "One two." }];
  return Response.json({ text: "One two.", language: "english", duration: 1, segments });
}

function painted({ prompt = "", n = 1 }: Fields): Response {
  const image = { b64_json: Buffer.from(String(prompt)).toString("base64") };
  return Response.json({ created: 1_700_000_000, data: Array(Number(n)).fill(image) });
}
