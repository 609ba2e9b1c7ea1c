import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, EngineOptions } from "../../engine/engine.ts";

/** What a fake engine answers to everything that is not a stream. */
export interface Echo {
  engine: string;
  method: string;
  path: string;
  query: string;
  type: string;
  body: string;
}

/** Stand-ins for engine processes: servers on Unix sockets that answer with what they received. */
export class FakeEngines {
  /** The options of every launch so far. */
  readonly launches: EngineOptions[] = [];
  readonly running: FakeEngine[] = [];
  readonly #launched = Promise.withResolvers<void>();
  readonly #folder = mkdtempSync(join(tmpdir(), "llmlb-node-"));
  #gate: Promise<unknown> = Promise.resolve();

  /** A folder for the test's files, removed by `close`. */
  get folder(): string {
    return this.#folder;
  }

  /** Resolves when the first load has begun. */
  get launched(): Promise<void> {
    return this.#launched.promise;
  }

  /** Loads that start from now on wait for `gate`; when it rejects, they fail with its reason. */
  hold(gate: Promise<unknown>): void {
    gate.catch(() => undefined); // it fails the loads, if there are any
    this.#gate = gate;
  }

  readonly launch = async (options: EngineOptions): Promise<Engine> => {
    const socket = join(this.#folder, `${this.launches.push(options)}.sock`);
    this.#launched.resolve();
    await this.#gate;
    const engine = new FakeEngine(options, socket);
    this.running.push(engine);
    return engine;
  };

  /** The engine started last. */
  get last(): FakeEngine {
    const engine = this.running.at(-1);
    if (engine === undefined) throw new Error("no engine was started");
    return engine;
  }

  close(): void {
    for (const engine of this.running) engine.server.stop(true);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A fake engine. A streamed answer sends one frame and then stays open. */
class FakeEngine implements Engine {
  // No process has this number.
  readonly pid = 2 ** 30;
  readonly info;
  readonly exited: Promise<{ expected: boolean; message: string }>;
  readonly server: Bun.Server<undefined>;
  /** Resolves when a request has arrived. */
  readonly reached = Promise.withResolvers<void>();
  /** Resolves when a client has left a request. */
  readonly left = Promise.withResolvers<void>();
  /** Answers wait for this; set it before the request. */
  gate: Promise<unknown> = Promise.resolve();
  readonly #exit = Promise.withResolvers<{ expected: boolean; message: string }>();
  readonly #name: string;
  readonly #socket: string;

  constructor({ modelId, args }: EngineOptions, socket: string) {
    const embeddings = args.includes("--embeddings");
    const size = { contextTokens: 512, parameters: 1, sizeBytes: 1 };
    this.info = { slots: 3, ...size, vision: false, audio: false, embeddings };
    this.#name = `${modelId}${embeddings ? " embeddings" : ""}`;
    this.#socket = socket;
    this.exited = this.#exit.promise;
    this.server = Bun.serve({ unix: socket, fetch: (request) => this.#answer(request) });
  }

  target(pathAndQuery: string) {
    return { url: `http://engine${pathAndQuery}`, unix: this.#socket, label: this.#name };
  }

  /** Dies as a process does: connections break, then the exit becomes known. */
  async crash(): Promise<void> {
    await this.server.stop(true);
    this.#exit.resolve({ expected: false, message: "killed by SIGSEGV" });
  }

  async stop(): Promise<void> {
    await this.server.stop(true);
    this.#exit.resolve({ expected: true, message: "stopped" });
  }

  async #answer(request: Request): Promise<Response> {
    request.signal.addEventListener("abort", () => this.left.resolve());
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    this.reached.resolve();
    await this.gate;
    if (body.includes('"stream":true')) return openStream();
    const echo: Echo = {
      engine: this.#name,
      method: request.method,
      path: pathname,
      query: search,
      type: request.headers.get("content-type") ?? "",
      body,
    };
    return Response.json(echo);
  }
}

function openStream(): Response {
  const stream = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('data: {"n":1}\n\n')),
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}
