import { fileURLToPath } from "node:url";

/** How it behaves: `cut` sends headers and half an answer, `hang` takes requests in silence. */
export type Behaviour = "well" | "hang" | "fail" | "cut";

/** An endpoint in a process of its own that lists the model `m` and can be made to misbehave. */
export class UnreliableEndpoint {
  readonly url: string;
  #child: ReturnType<typeof spawn>;

  private constructor(child: ReturnType<typeof spawn>, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(): Promise<UnreliableEndpoint> {
    const child = spawn(0);
    return new UnreliableEndpoint(child, await firstLine(child.stdout));
  }

  /** How it answers from now on, also what it has taken already, except while it hung. */
  async behave(behaviour: Behaviour): Promise<void> {
    await fetch(`${this.url}/behave/${behaviour}`, { method: "POST" });
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  /** Starts it again under the same address. */
  async revive(): Promise<void> {
    this.#child = spawn(Number(new URL(this.url).port));
    await firstLine(this.#child.stdout);
  }
}

function spawn(port: number) {
  const argv = [process.execPath, fileURLToPath(import.meta.url), String(port)];
  return Bun.spawn(argv, { stdio: ["ignore", "pipe", "ignore"] });
}

async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  const reader = output.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value).trim();
}

const ANSWER = JSON.stringify({ object: "chat.completion", answer: "x".repeat(2000) });
/** Longest life of an endpoint whose test has been killed. */
const LIFE_MS_MAX = 120_000;

function serve(port: number): void {
  let behaviour = "well";
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: "m" }] });
      if (pathname.startsWith("/behave/")) {
        behaviour = pathname.slice("/behave/".length);
        return new Response();
      }
      if (pathname !== "/v1/chat/completions") return new Response(null, { status: 404 });
      await request.arrayBuffer();
      await Bun.sleep(5 + Math.random() * 20);
      if (behaviour === "hang") return new Promise<never>(() => undefined);
      if (behaviour === "fail") return new Response("broken", { status: 500 });
      return behaviour === "cut" ? cut() : json(ANSWER);
    },
  });
  process.stdout.write(`http://127.0.0.1:${server.port}\n`);
  setTimeout(() => process.exit(), LIFE_MS_MAX);
}

function json(body: BodyInit): Response {
  return new Response(body, { headers: { "content-type": "application/json" } });
}

/** Headers and half of the answer; then the connection breaks off. */
function cut(): Response {
  const half = new TextEncoder().encode(ANSWER.slice(0, 1000));
  return json(
    new ReadableStream({
      async start(controller) {
        controller.enqueue(half);
        await Bun.sleep(5);
        // Without an argument, because Bun prints what it is given.
        controller.error();
      },
    }),
  );
}

if (import.meta.main) serve(Number(process.argv[2]));
