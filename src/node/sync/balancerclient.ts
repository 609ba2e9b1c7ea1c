import type { ZodType } from "zod";
import type { Settings } from "../../config/settings.ts";
import type { WorkerSetting } from "../../config/values/worker.ts";
import { ClientError } from "../../http/client/failure.ts";
import { get } from "../../http/client/get.ts";
import { headerOf } from "../../http/client/head.ts";
import { type ForwardProxy, proxyFor } from "../../http/client/proxy.ts";
import { parseJson } from "../../lib/json.ts";
import { ApiError } from "../../wire/error.ts";
import { WorkerAnswer } from "../../wire/lending.ts";
import { Manifest } from "../../wire/manifest.ts";
import {
  AssignedModelList,
  DownloadLeaseAnswer,
  type DownloadLeaseBody,
  type ModelReportBody,
} from "../../wire/sync.ts";

/** What a node sends to its balancer to say who it is. */
export interface NodeCredentials {
  nodeId: string;
  credential: string;
}

export interface BalancerClientOptions {
  /** Base URL of the balancer. */
  url: string;
  /** Undefined until the node is enrolled. */
  credentials(): NodeCredentials | undefined;
  /** Whether the balancer answers under its URL yet. Default: it does. */
  isOpen?(): boolean;
  /** Of its only certificate; undefined: an authority vouches for it. Default: undefined. */
  fingerprint?(): string | undefined;
}

/** The models that a node shall have, with the ETag of the list. */
export interface AssignedModels {
  /** Undefined: unchanged since the ETag of the request. */
  list: AssignedModelList | undefined;
  etag: string | undefined;
}

interface RequestOptions {
  /** Sent as JSON with POST. Default: none, with GET. */
  body?: object;
  headers?: Record<string, string>;
  /** Default: 10 s. */
  timeoutMs?: number;
  signal: AbortSignal;
}

const LIST_MS_MAX = 5000;
const ANSWER_MS_MAX = 10_000;
/** The balancer makes the manifests of imported models when a node asks for them. */
const MANIFEST_MS_MAX = 60_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A node's requests to its balancer. All methods throw `ApiError`: `not_enrolled`,
 * `balancer_away`, `balancer_answer` or the balancer's own code; or the reason of their signal.
 */
export class BalancerClient {
  readonly #options: BalancerClientOptions;
  readonly #proxy: ForwardProxy | undefined;

  constructor(options: BalancerClientOptions, settings: Settings) {
    this.#options = options;
    this.#proxy = proxyFor(options.url, settings);
  }

  /** Whether the node has credentials; all requests throw `not_enrolled` while it has none. */
  get isEnrolled(): boolean {
    return this.#options.credentials() !== undefined;
  }

  /** Whether the balancer is there to be asked: false while another still has its address. */
  get isOpen(): boolean {
    return this.#options.isOpen?.() ?? true;
  }

  /** The models that this node shall have, unless their list still has the given ETag. */
  async assignedModels(etag: string | undefined, signal: AbortSignal): Promise<AssignedModels> {
    const headers = etag === undefined ? {} : { "if-none-match": etag };
    const answer = await this.#request("/models", { headers, timeoutMs: LIST_MS_MAX, signal });
    if (answer.status === 304) return { list: undefined, etag };
    return { list: read(AssignedModelList, answer.json), etag: answer.etag };
  }

  /** Which files a model has. Throws 404 `model_not_found` if it is not registered. */
  async manifest(model: string, signal: AbortSignal): Promise<Manifest> {
    const path = `/models/manifest?model=${encodeURIComponent(model)}`;
    const { json } = await this.#request(path, { timeoutMs: MANIFEST_MS_MAX, signal });
    return read(Manifest, json);
  }

  /** Asks for the lease to download files from the hub, or renews it. */
  async downloadLease(body: DownloadLeaseBody, signal: AbortSignal): Promise<DownloadLeaseAnswer> {
    return read(DownloadLeaseAnswer, (await this.#request("/models/turn", { body, signal })).json);
  }

  /** Reports which models this node has and serves. */
  async report(body: ModelReportBody, signal: AbortSignal): Promise<void> {
    await this.#request("/models/report", { body, signal });
  }

  /** Where a node is that lends its devices, with a ticket for them; undefined: there is none. */
  async worker(name: string, signal: AbortSignal): Promise<WorkerSetting | undefined> {
    const path = `/workers/${encodeURIComponent(name)}`;
    const answer = await this.#request(path, { signal }).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === "worker_not_found") return undefined;
      throw error;
    });
    if (answer === undefined) return undefined;
    const { url, ticket, tls_fingerprint } = read(WorkerAnswer, answer.json);
    return {
      ...{ name, url },
      ...(ticket === null ? {} : { apiKey: ticket }),
      ...(tls_fingerprint === undefined ? {} : { fingerprint: tls_fingerprint }),
    };
  }

  async #request(
    path: string,
    { body, headers, timeoutMs = ANSWER_MS_MAX, signal }: RequestOptions,
  ): Promise<{ status: number; json: unknown; etag: string | undefined }> {
    const credentials = this.#options.credentials();
    if (credentials === undefined) {
      const message = "The balancer cannot be asked: this node is not enrolled there yet.";
      throw new ApiError("unavailable", message, { code: "not_enrolled" });
    }
    const url = `${this.#options.url}/api/nodes/${credentials.nodeId}${path}`;
    const answer = await get({
      ...{ url, proxy: this.#proxy, timeoutMs, limitBytes: ANSWER_BYTES_MAX, signal },
      fingerprint: this.#options.fingerprint?.(),
      headers: {
        ...{ accept: "application/json", authorization: `Bearer ${credentials.credential}` },
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    }).catch((cause: unknown) => {
      if (cause instanceof ClientError) throw unreachableError(url, cause);
      throw cause;
    });
    const { status } = answer.head;
    if (status === 304 || status === 204) return { status, json: null, etag: undefined };
    const text = new TextDecoder().decode(answer.body);
    if (status !== 200) throw refusalError(url, status, text);
    return { status, json: parseJson(text), etag: headerOf(answer.head, "etag") };
  }
}

function unreachableError(url: string, cause: ClientError): ApiError {
  const message = `Asking the balancer (${url}) failed: ${cause.message}`;
  return new ApiError("upstream", message, { code: "balancer_away", cause });
}

/** Clients get a `model_not_found` unchanged; other refusals concern only node and balancer. */
function refusalError(url: string, status: number, text: string): ApiError {
  const { message = text.slice(0, 500), code } = errorOf(parseJson(text));
  if (status === 404 && code === "model_not_found") {
    return new ApiError("model_not_found", message, { code, param: "model" });
  }
  const full = `Asking the balancer (${url}) failed: HTTP ${status}: ${message}`;
  return new ApiError("upstream", full, { code: code ?? "balancer_refuses" });
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
