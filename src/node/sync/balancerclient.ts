import type { ZodType } from "zod";
import type { Settings } from "../../config/settings.ts";
import { ClientError } from "../../http/client/failure.ts";
import { get } from "../../http/client/get.ts";
import { headerOf } from "../../http/client/head.ts";
import { type ForwardProxy, proxyFor } from "../../http/client/proxy.ts";
import { ApiError } from "../../wire/error.ts";
import { Manifest } from "../../wire/manifest.ts";
import { type ReportBody, Turn, type TurnBody, WantedList } from "../../wire/sync.ts";

/** As whom a node speaks to its balancer. */
export interface Pass {
  nodeId: string;
  credential: string;
}

export interface BalancerClientOptions {
  /** Base URL of the balancer. */
  url: string;
  /** Undefined as long as the node is not enrolled. */
  pass(): Pass | undefined;
}

/** What the balancer says a node shall have; undefined: the same as under that ETag. */
export interface Wanted {
  list: WantedList | undefined;
  etag: string | undefined;
}

const LIST_MS_MAX = 5000;
const ANSWER_MS_MAX = 10_000;
/** Manifests of models that were taken over are made only when they are asked for. */
const MANIFEST_MS_MAX = 60_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** A node's questions to its balancer. All throw `ApiError`, or the signal's reason. */
export class BalancerClient {
  readonly #options: BalancerClientOptions;
  readonly #proxy: ForwardProxy | undefined;

  constructor(options: BalancerClientOptions, settings: Settings) {
    this.#options = options;
    this.#proxy = proxyFor(options.url, settings);
  }

  /** Whether there is anybody to speak as. */
  get isOpen(): boolean {
    return this.#options.pass() !== undefined;
  }

  /** What this node shall have. */
  async wanted(etag: string | undefined, signal: AbortSignal): Promise<Wanted> {
    const headers = etag === undefined ? {} : { "if-none-match": etag };
    const answer = await this.#ask("", { headers, timeoutMs: LIST_MS_MAX, signal });
    if (answer.status === 304) return { list: undefined, etag };
    return { list: read(WantedList, answer.json), etag: answer.etag };
  }

  /** Which files a model needs. Throws 404 `model_not_found` for one that is not registered. */
  async manifest(model: string, signal: AbortSignal): Promise<Manifest> {
    const query = `/manifest?model=${encodeURIComponent(model)}`;
    return read(Manifest, (await this.#ask(query, { timeoutMs: MANIFEST_MS_MAX, signal })).json);
  }

  /** Where files are to be fetched from now. */
  async turn(body: TurnBody, signal: AbortSignal): Promise<Turn> {
    return read(Turn, (await this.#ask("/turn", { body, signal })).json);
  }

  /** Tells what this node has. */
  async report(body: ReportBody, signal: AbortSignal): Promise<void> {
    await this.#ask("/report", { body, signal });
  }

  async #ask(
    path: string,
    { body, headers, timeoutMs = ANSWER_MS_MAX, signal }: Question,
  ): Promise<{ status: number; json: unknown; etag: string | undefined }> {
    const pass = this.#options.pass();
    if (pass === undefined) {
      const message = "The balancer cannot be asked: this node is not enrolled there yet.";
      throw new ApiError("unavailable", message, { code: "not_enrolled" });
    }
    const url = `${this.#options.url}/api/nodes/${pass.nodeId}/models${path}`;
    const answer = await get({
      ...{ url, proxy: this.#proxy, timeoutMs, limitBytes: ANSWER_BYTES_MAX, signal },
      headers: {
        ...{ accept: "application/json", authorization: `Bearer ${pass.credential}` },
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    }).catch((cause: unknown) => {
      if (cause instanceof ClientError) throw away(url, cause);
      throw cause;
    });
    const { status } = answer.head;
    if (status === 304 || status === 204) return { status, json: null, etag: undefined };
    const text = new TextDecoder().decode(answer.body);
    if (status !== 200) throw refused(url, status, text);
    return { status, json: parsed(text), etag: headerOf(answer.head, "etag") };
  }
}

interface Question {
  body?: object;
  headers?: Record<string, string>;
  timeoutMs?: number;
  signal: AbortSignal;
}

function away(url: string, cause: ClientError): ApiError {
  const message = `Asking the balancer (${url}) failed: ${cause.message}`;
  return new ApiError("upstream", message, { code: "balancer_away", cause });
}

/** What the balancer says of a model goes on as it is; other refusals are between us and it. */
function refused(url: string, status: number, text: string): ApiError {
  const { message = text.slice(0, 500), code } = errorOf(parsed(text));
  if (status === 404 && code === "model_not_found") {
    return new ApiError("model_not_found", message, { code, param: "model" });
  }
  const told = `Asking the balancer (${url}) failed: HTTP ${status}: ${message}`;
  return new ApiError("upstream", told, { code: code ?? "balancer_refuses" });
}

function errorOf(json: unknown): { message?: string; code?: string } {
  const error = json !== null && typeof json === "object" && "error" in json ? json.error : null;
  if (error === null || typeof error !== "object") return {};
  const { message, code } = error as Record<string, unknown>;
  return {
    ...(typeof message === "string" ? { message } : {}),
    ...(typeof code === "string" ? { code } : {}),
  };
}

function read<T>(schema: ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const message = `The balancer's answer makes no sense: ${result.error.issues[0]?.message}.`;
  throw new ApiError("upstream", message, { code: "balancer_answer" });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Whoever reads it sees that it is no JSON.
  }
}
