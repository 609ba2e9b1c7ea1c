import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Artifact, Manifest } from "../../wire/manifest.ts";

/** What goes wrong with one request. Default: nothing, the file is sent. */
export interface Treatment {
  /** Answered instead of the file. */
  status?: number;
  /** Its body. Default: a word. */
  body?: string;
  headers?: Record<string, string>;
  /** The connection is cut after so many bytes of the file, counted from its beginning. */
  cutAt?: number;
  /** This byte is another one than it should be. */
  wrongByte?: number;
  etag?: string;
  redirect?: string;
  /** All of the file is sent, whatever was asked for. */
  rangeless?: boolean;
  /** Between pieces of 64 KiB. */
  pauseMs?: number;
  /** From this byte of the file on, 64 bytes come every 10 ms. */
  trickleAt?: number;
  /** Nothing more is sent after so many bytes, and nothing is closed. */
  silentAt?: number;
}

/** A request as it came. */
export interface FileServerRequest {
  path: string;
  headers: IncomingMessage["headers"];
}

/** A server of files with faults. */
export class FileServer implements AsyncDisposable {
  readonly files = new Map<string, Buffer>();
  readonly seen: FileServerRequest[] = [];
  /** Bytes of bodies that were sent. */
  servedBytes = 0;
  /** Decides for each request; `count` is how many came before it. */
  treat: (request: FileServerRequest, count: number) => Treatment = () => ({});
  /** Told of answers that begin (1) and end (-1). */
  onOpen: (change: 1 | -1) => void = () => undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<FileServer> {
    const server = new FileServer();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    return server;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Adds a file of random bytes, and returns what a manifest says of it. */
  add(filename: string, sizeBytes: number, more: Partial<Artifact> = {}): Artifact {
    const bytes = randomBytes(sizeBytes);
    this.files.set(`/${filename}`, bytes);
    return {
      filename,
      format: filename.endsWith(".gguf") ? "gguf" : "config",
      quantization: null,
      size_bytes: sizeBytes,
      sha256: sha256(bytes),
      git_oid: null,
      url: `${this.url}/${filename}`,
      priority: 0,
      runtimes: [],
      optional: false,
      ...more,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? "").split("?")[0] ?? "");
    const seen = { path, headers: request.headers };
    const treatment = this.treat(seen, this.seen.length);
    this.seen.push(seen);
    const file = this.files.get(path);
    if (treatment.redirect !== undefined) {
      response.writeHead(302, { location: treatment.redirect, ...treatment.headers }).end();
    } else if (treatment.status !== undefined || file === undefined) {
      response.writeHead(treatment.status ?? 404, treatment.headers).end(treatment.body ?? "no");
    } else {
      this.onOpen(1);
      await this.#send(file, request, response, treatment).finally(() => this.onOpen(-1));
    }
  }

  async #send(
    file: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
    treatment: Treatment,
  ): Promise<void> {
    const etag = treatment.etag ?? `"${sha256(file)}"`;
    const ifRange = request.headers["if-range"];
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const ranged = asked !== null && !treatment.rangeless && (ifRange ?? etag) === etag;
    const start = ranged ? Number(asked[1]) : 0;
    const end =
      ranged && asked[2] !== "" ? Math.min(Number(asked[2]) + 1, file.length) : file.length;
    response.writeHead(ranged ? 206 : 200, {
      etag,
      "content-length": end - start,
      ...(ranged ? { "content-range": `bytes ${start}-${end - 1}/${file.length}` } : {}),
      ...treatment.headers,
    });
    response.flushHeaders();
    const { cutAt = Number.POSITIVE_INFINITY, silentAt, wrongByte, pauseMs } = treatment;
    const stop = Math.min(cutAt, silentAt ?? end);
    const isSlow = (at: number) => at >= (treatment.trickleAt ?? Number.POSITIVE_INFINITY);
    const lengthAt = (at: number) => (isSlow(at) ? TRICKLE_BYTES : PIECE_BYTES);
    for (let at = start; at < end && at < stop; at += lengthAt(at)) {
      const piece = Buffer.from(file.subarray(at, Math.min(at + lengthAt(at), end, stop)));
      if (isSlow(at)) await Bun.sleep(10);
      if (wrongByte !== undefined && wrongByte >= at && wrongByte < at + piece.length) {
        piece[wrongByte - at] = (piece[wrongByte - at] ?? 0) ^ 1;
      }
      if (response.destroyed) return;
      await written(response, piece);
      this.servedBytes += piece.length;
      if (pauseMs !== undefined) await Bun.sleep(pauseMs);
    }
    if (silentAt !== undefined && silentAt < end) return;
    if (cutAt < end) response.destroy();
    else response.end();
  }
}

const PIECE_BYTES = 64 * 1024;
const TRICKLE_BYTES = 64;

function written(response: ServerResponse, piece: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.write(piece, () => resolve());
  response.once("close", resolve);
  return promise.finally(() => response.off("close", resolve));
}

/** Bytes that differ everywhere, so that a piece in the wrong place is noticed. */
function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(count, at + 65_536)));
  }
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A manifest of these files; any address is allowed by it. */
export function testManifest(artifacts: Artifact[], more: Partial<Manifest> = {}): Manifest {
  return {
    model: "hf/Org/Model",
    repo: "Org/Model",
    revision: "0123456789abcdef0123456789abcdef01234567",
    format: "gguf",
    quantization: null,
    artifacts,
    origin_allowlist: [],
    peers: [],
    created_at: "2026-01-01T00:00:00Z",
    ...more,
  };
}
