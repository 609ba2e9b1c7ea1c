import type { ForwardTarget } from "../../http/proxy/forward.ts";
import type { SendOutcome } from "../../http/proxy/relay.ts";
import type { Rewrite } from "../../http/proxy/rewrite/rewrite.ts";
import type { ApiError } from "../../wire/error.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import type { Translator } from "./translator.ts";

/** How an upstream answers a route: in the route's own API, or by a translation into another. */
export type RouteSupport = "native" | Translator;

/**
 * What an upstream does about the usage of a stream of chat completions:
 *
 * - `on_request`: it tells usage if the client asked for it, and only then;
 * - `if_asked_for`: it tells usage if it is asked to by `stream_options`, which we may do;
 * - `unknown`: it may tell usage, asked or not;
 * - `left_alone`: its streams pass as they are.
 */
export type UsageSupport = "on_request" | "if_asked_for" | "unknown" | "left_alone";

/** Whatever can answer a request: an endpoint that we balance over, or a provider's model. */
export interface Upstream {
  /** What history and statistics know it by. */
  readonly id: string;
  readonly name: string;
  /** Its base URL, as history shows it. */
  readonly url: string;
  /** Who it is in telemetry: OpenTelemetry's `gen_ai.provider.name`. */
  readonly telemetryName: string;
  readonly usageSupport: UsageSupport;
  /** It has no use for the stamp of Anthropic's clients, which differs in every request. */
  readonly ignoresStamps: boolean;
  /** It refuses thoughts in messages that it has not signed itself. */
  readonly wantsSignatures: boolean;
  /** A chat without messages loads or unloads its model, as `keep_alive` says. */
  readonly loadsByChat: boolean;
  /** It is handed the addresses of images and fetches them itself. */
  readonly fetchesImages: boolean;
  /** Its own name of the model that the balancer lists as `id` and the client calls `asked`. */
  modelName(id: string, asked: string): string;
  /**
   * How it answers a route. Throws 400 `invalid_request` (`model_capability_mismatch`) if nothing
   * of what it speaks can say such a request.
   */
  supportOf(route: InferenceRoute): RouteSupport;
  /** Where to send a request for one of its paths, query included, with the upstream's own key. */
  target(pathAndQuery: string): ForwardTarget;
  /** The name that the price of what it serves goes by; absent: the model's own. */
  readonly priceName?: string;
}

/**
 * Leave to send one request to an upstream, and the account of how that went. One of `answered`,
 * `rejected` and `failed` is called, unless the client leaves before; `ended` at an answer's end.
 */
export interface Slot {
  readonly upstream: Upstream;
  /** Longest wait for the answer to begin. */
  readonly firstByteTimeoutMs: number;
  /** Longest wait for content, whatever signs of life come before it. */
  readonly contentTimeoutMs: number;
  /** What is to be made of the upstream's answer, `rewrite` included. */
  rewrite(rewrite: Rewrite | undefined): Rewrite | undefined;
  /**
   * The request is sent. As long as nothing of its answer has come, `end` ends it for a reason;
   * false if it stays because nobody else can take it. `move` hands it to another upstream, if that
   * costs it nothing; default: it cannot be moved.
   */
  sent(end: (reason: ApiError, silentSinceMs?: number) => boolean, move?: () => void): void;
  /**
   * The answer has begun, a stream with its first content, and is what the request deserves.
   * `status` is the upstream's own.
   */
  answered(status: number): void;
  /** The answer that has begun is a failure of the upstream: another one may do better. */
  rejected(status: number): void;
  /** The last byte of the answer was sent, or it broke off. Further calls do nothing. */
  ended(outcome: SendOutcome): void;
  /** There was no answer; `isUpstreams` if that is the fault of the upstream. */
  failed(error: unknown, isUpstreams: boolean): void;
  /** The upstream has answered requests for the model well since it last refused one. */
  readonly isTrusted: boolean;
  /** The upstream refused the request, whoever is at fault. */
  refused(): void;
  /** The failure counts against the upstream: `reason` is what its operator is told. */
  blame(reason: string): void;
}
