import { timingSafeEqual } from "node:crypto";
import { ApiError, errorBody } from "../wire/error.ts";
import type { NativeEngine, NativeRequest } from "./binding.ts";
import type { EngineAddress } from "./messages.ts";

/** Name of the header that carries the secret where there are no Unix sockets. */
export const SECRET_HEADER = "x-llmlb-engine-secret";

/** The part of an engine that serves requests. */
export type RequestEngine = Pick<NativeEngine, "submit" | "cancel">;

/**
 * An engine's answers are silent while it reads a long prompt; the node limits how long. The type
 * is `object` because Bun's types lack the field for Unix sockets.
 */
const NO_IDLE_LIMIT: object = { idleTimeout: 0 };

/** Serves an engine's routes over HTTP on a Unix socket, on Windows on a loopback port. */
export function serveEngine(engine: RequestEngine, socket: string) {
  const shared = { ...NO_IDLE_LIMIT, maxRequestBodySize: Number.MAX_SAFE_INTEGER };
  if (process.platform !== "win32") {
    const server = Bun.serve({
      ...shared,
      unix: socket,
      fetch: (request) => answer(engine, request),
      error: refuseBroken,
    });
    const address: EngineAddress = { unix: socket };
    return { address, close: () => void server.stop(true) };
  }
  const secret = crypto.randomUUID();
  const server = Bun.serve({
    ...shared,
    hostname: "127.0.0.1",
    port: 0,
    error: refuseBroken,
    fetch: (request) =>
      equal(request.headers.get(SECRET_HEADER) ?? "", secret)
        ? answer(engine, request)
        : refuse(new ApiError("forbidden", "This port is for llmlb's own node only.")),
  });
  const address: EngineAddress = { port: server.port ?? 0, secret };
  return { address, close: () => void server.stop(true) };
}

/** Runs one request in the engine. A stream's bytes are sent on as they arrive. */
async function answer(engine: RequestEngine, request: Request): Promise<Response> {
  const native = await toNative(request);
  const { promise, resolve } = Promise.withResolvers<Response>();
  const body = new ResponseBody();
  let id: number | undefined;
  const cancel = () => id !== undefined && engine.cancel(id);
  id = engine.submit(native, {
    head(status, contentType, isStream) {
      body.head = { status, contentType };
      if (!isStream) return;
      const headers = { "content-type": contentType };
      resolve(new Response(body.stream(cancel), { status, headers }));
    },
    data: (bytes) => body.add(bytes),
    end() {
      request.signal.removeEventListener("abort", cancel);
      resolve(body.finish());
    },
  });
  if (id === undefined) {
    const message = "The engine's queue is full: too many requests wait already. Try again later.";
    return refuse(new ApiError("rate_limited", message, { retryAfterS: 1 }));
  }
  request.signal.addEventListener("abort", cancel, { once: true });
  if (request.signal.aborted) cancel();
  return promise;
}

/** The bytes of one response. They are collected, or passed on once `stream` was called. */
class ResponseBody {
  head = { status: 500, contentType: "application/json" };
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  stream(cancel: () => void): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = undefined;
        this.#chunks = [];
        cancel();
      },
    });
  }

  add(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#controller === undefined) this.#chunks.push(bytes);
    else this.#controller.enqueue(bytes);
  }

  /** Closes the stream; returns the response of what was collected. */
  async finish(): Promise<Response> {
    this.#controller?.close();
    this.#controller = undefined;
    const { status, contentType } = this.head;
    const body = new Blob(this.#chunks);
    const headers = { "content-type": contentType };
    if (status < 400) return new Response(body, { status, headers });
    // It brings a schema, which an engine without errors does not need.
    const { engineError } = await import("./error.ts");
    return refuse(engineError(await body.text(), status));
  }
}

async function toNative(request: Request): Promise<NativeRequest> {
  const { pathname: path, searchParams } = new URL(request.url);
  const query = Object.fromEntries(searchParams);
  const isForm = request.headers.get("content-type")?.startsWith("multipart/form-data") === true;
  if (isForm) return { method: request.method, path, query, ...(await readForm(request)) };
  const body = request.body === null ? new Uint8Array(0) : await request.bytes();
  return { method: request.method, path, query, body, files: [] };
}

/** A form as llama.cpp's server takes it: a JSON body with the text fields, then the files. */
async function readForm(request: Request): Promise<Pick<NativeRequest, "body" | "files">> {
  const fields: Record<string, string> = {};
  const files: NativeRequest["files"] = [];
  const parts: Uint8Array[] = [];
  for (const [field, value] of await parseForm(request)) {
    if (typeof value === "string") {
      fields[field] = value;
      continue;
    }
    const bytes = await value.bytes();
    files.push({ field, name: value.name, type: value.type, size: bytes.byteLength });
    parts.push(bytes);
  }
  const json = new TextEncoder().encode(JSON.stringify(fields));
  return { body: Buffer.concat([json, ...parts]), files };
}

function parseForm(request: Request): Promise<FormData> {
  return request.formData().catch((cause: unknown) => {
    throw new ApiError("invalid_request", "Reading the form failed: it is malformed.", { cause });
  });
}

/** The answer to a request that failed before the engine had it, as by a malformed form. */
function refuseBroken(cause: unknown): Response {
  const message = "The engine could not take this request: an error of its own.";
  return refuse(cause instanceof ApiError ? cause : new ApiError("internal", message, { cause }));
}

/** Errors have OpenAI's shape here. The node translates them for clients of other APIs. */
function refuse(error: ApiError): Response {
  return Response.json(errorBody(error, "openai"), { status: error.status });
}

function equal(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
