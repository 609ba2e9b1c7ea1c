import type { Settings } from "../../config/settings.ts";
import type { Logger } from "../../lib/log.ts";
import { sleep } from "../../lib/sleep.ts";
import { HubClient } from "../../registry/hub.ts";
import { type Offer, offerOf } from "../../registry/offer.ts";
import { parseReference } from "../../registry/reference.ts";
import { ApiError } from "../../wire/error.ts";
import type { Artifact, Manifest, Peer } from "../../wire/manifest.ts";
import type { BalancerClient } from "./balancerclient.ts";

/** Where a node hears what files a model has, and from whom to fetch them. */
export interface Source {
  /** Throws `ApiError`. */
  offer(model: string, signal: AbortSignal): Promise<Offer>;
  /** Waits until the files may be fetched, and tells who has them. Ends with its signal. */
  turn(manifest: Manifest, files: Artifact[], told: TurnTold): Promise<Peer[]>;
}

export interface TurnTold {
  signal: AbortSignal;
  /** Told who fetches the files from the hub while this node waits. */
  onWait(holder: string): void;
}

/** How long a balancer that is away keeps pulls waiting before the hub is asked without a turn. */
const AWAY_MS_MAX = 30_000;

/** Models that are registered at the balancer. */
export class RegistrySource implements Source {
  readonly #link: BalancerClient;

  constructor(link: BalancerClient) {
    this.#link = link;
  }

  /** Of a model, or of one of its quantizations (`id:QUANT`). */
  async offer(name: string, signal: AbortSignal): Promise<Offer> {
    const [model = "", quantization] = name.split(":");
    const manifest = await this.#link.manifest(model, signal);
    return { manifest, wish: { quantization, isNamed: quantization !== undefined } };
  }

  async turn({ model, revision }: Manifest, files: Artifact[], told: TurnTold): Promise<Peer[]> {
    const { signal, onWait } = told;
    const body = { model, revision, files: files.map(({ filename }) => filename) };
    const begunAt = performance.now();
    for (;;) {
      try {
        const turn = await this.#link.turn(body, signal);
        if (turn.go === "peers") return turn.peers;
        if (turn.go === "hub") {
          void this.#renew(body, turn.renew_ms, signal);
          return [];
        }
        onWait(turn.holder);
        await sleep(turn.retry_ms * (0.9 + 0.2 * Math.random()), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ApiError) || error.kind === "model_not_found") throw error;
        // A model must not wait for a balancer that may stay away.
        if (performance.now() - begunAt > AWAY_MS_MAX) return [];
        await sleep(1000, signal);
      }
    }
  }

  /** Keeps the turn while the pull goes on. Never rejects. */
  async #renew(body: Parameters<BalancerClient["turn"]>[0], everyMs: number, signal: AbortSignal) {
    while (!signal.aborted) {
      await sleep(everyMs, signal).catch(() => undefined); // the pull has ended
      if (!signal.aborted) await this.#link.turn(body, signal).catch(() => undefined);
    }
  }
}

export interface HubSourceOptions {
  settings: Pick<Settings, "hubUrl" | "hubToken" | "originAllowlist">;
  log: Logger;
}

/** Models of the hub itself, for nodes that were asked to fetch what no balancer told them of. */
export class HubSource implements Source {
  readonly #hub: HubClient;
  readonly #allowlist: readonly string[];

  constructor({ settings, log }: HubSourceOptions) {
    const { hubUrl, hubToken: token, originAllowlist } = settings;
    const nothing = { get: async () => undefined, put: async () => undefined };
    const cache = { ...nothing, drop: async () => undefined };
    this.#hub = new HubClient({ hubUrl, token, log, cache });
    this.#allowlist = originAllowlist;
  }

  /** Throws 400 for what names no model of the hub. */
  check(model: string): void {
    try {
      parseReference(model, this.#hub.url);
    } catch (cause) {
      throw ofModel(cause);
    }
  }

  async offer(model: string, signal: AbortSignal): Promise<Offer> {
    const allowlist = this.#allowlist;
    try {
      const reference = parseReference(model, this.#hub.url);
      return await offerOf({ reference, hub: this.#hub, allowlist, signal });
    } catch (cause) {
      throw ofModel(cause);
    }
  }

  turn(): Promise<Peer[]> {
    return Promise.resolve([]);
  }
}

/** Requests to a node name all of it in one field. */
function ofModel(cause: unknown): unknown {
  if (!(cause instanceof ApiError) || cause.param === "model") return cause;
  const { kind, code, retryAfterS } = cause;
  const message = cause.message
    .replace("`repo` ", "`model` ")
    .replace("`filename` must be", "`model` must name")
    .replace("specify filename", "name one, as org/name/file.gguf");
  const more = retryAfterS === undefined ? {} : { retryAfterS };
  return new ApiError(kind, message, { code, param: "model", ...more, cause });
}
