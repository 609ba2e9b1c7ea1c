import { LLAMA_CPP_VERSION, VERSION } from "../../config/version.ts";
import type { LogEntryView, LogFrame } from "../../wire/log.ts";
import { eventFrame } from "../../wire/sse.ts";

/** A stand-in for an llmlb elsewhere whose log says what a test tells it to. */
export class ToldLog {
  readonly #port: number;
  #server: ReturnType<ToldLog["serve"]> | undefined;
  #run = crypto.randomUUID().slice(0, 8);
  #entries: LogEntryView[] = [];
  readonly #readers = new Set<{ search: string; send(frames: LogFrame[]): void }>();

  constructor() {
    this.#server = this.serve(0);
    this.#port = this.#server.port ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Adds lines with the events `name.0`, `name.1`, and so on. */
  tell(count: number, name: string): void {
    const timestamp = new Date().toISOString();
    const first = this.#entries.length;
    for (let at = 0; at < count; at += 1) {
      const message = `${name}.${at}`;
      this.#entries.push({ timestamp, level: "info", target: name, message, fields: { at } });
    }
    for (const { search, send } of this.#readers) send(this.#framesFrom(first, search));
  }

  /** Says that lines were left out. */
  drop(dropped: number): void {
    for (const { send } of this.#readers) send([{ dropped }]);
  }

  /** Begins to answer again. */
  start(): void {
    this.#server ??= this.serve(this.#port);
  }

  /** Cuts all connections, and answers nothing. */
  stop(): void {
    void this.#server?.stop(true);
    this.#server = undefined;
    this.#readers.clear();
  }

  /** Becomes another process, which has the same log. */
  restart(): void {
    this.stop();
    this.#run = crypto.randomUUID().slice(0, 8);
    this.start();
  }

  #framesFrom(first: number, search: string): LogFrame[] {
    return this.#entries
      .map((entry, at) => ({ id: `${this.#run}-${at + 1}`, ...entry }))
      .slice(first)
      .filter(({ message }) => message.includes(search));
  }

  serve(port: number) {
    return Bun.serve({
      ...{ hostname: "127.0.0.1", port, idleTimeout: 0 },
      routes: {
        "/api/system": () => Response.json(SYSTEM),
        "/v1/models": () => Response.json({ object: "list", data: [] }),
        "/api/logs": (request) => this.#follow(new URL(request.url).searchParams),
      },
      fetch: () => new Response(null, { status: 404 }),
    });
  }

  #follow(query: URLSearchParams): Response {
    const search = query.get("search") ?? "";
    const [run, after] = (query.get("last_event_id") ?? "").split("-");
    const encoder = new TextEncoder();
    let leave: () => unknown = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const reader = {
          search,
          send: (frames: LogFrame[]) =>
            controller.enqueue(encoder.encode(frames.map((frame) => eventFrame(frame)).join(""))),
        };
        this.#readers.add(reader);
        leave = () => this.#readers.delete(reader);
        controller.enqueue(encoder.encode(": hello\n\n"));
        reader.send(this.#framesFrom(run === this.#run ? Number(after) : 0, search));
      },
      cancel: () => {
        leave();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
}

const SYSTEM = {
  device: { device_type: "cpu", gpu_devices: [] },
  devices: [],
  llmlb_version: VERSION,
  bun_version: Bun.version,
  llama_cpp_version: LLAMA_CPP_VERSION,
  slots: { total: 1, busy: 0 },
  models: [],
};
