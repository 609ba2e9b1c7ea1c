import type { Settings } from "../../config/settings.ts";
import type { Logger } from "../../lib/log.ts";
import { hubModelId } from "../../model/name.ts";
import { HubClient } from "../../registry/hubclient.ts";
import { findPullTarget, type PullTarget } from "../../registry/pulltarget.ts";
import { parseReference } from "../../registry/reference.ts";
import { ApiError } from "../../wire/error.ts";
import type { Peer } from "../../wire/manifest.ts";
import type { ModelSource, PullJobTarget } from "./modelsource.ts";

export interface HubSourceOptions {
  settings: Pick<Settings, "hubUrl" | "hubToken" | "originAllowlist">;
  log: Logger;
}

/** Every pull asks the hub anew. */
const NO_CACHE = {
  get: async () => undefined,
  put: async () => undefined,
  drop: async () => undefined,
};

/** Models of the hub, for pulls of models that no balancer has registered. */
export class HubSource implements ModelSource {
  readonly #hub: HubClient;
  readonly #allowlist: readonly string[];

  constructor({ settings, log }: HubSourceOptions) {
    const { hubUrl, hubToken: token, originAllowlist } = settings;
    const allowlist = originAllowlist;
    this.#hub = new HubClient({ hubUrl, token, allowlist, log, cache: NO_CACHE });
    this.#allowlist = allowlist;
  }

  target(model: string): PullJobTarget {
    try {
      const reference = parseReference(model, this.#hub.url);
      const { repo, filename = null, folder = "", revision = "", quantization } = reference;
      return { id: hubModelId(repo, filename), quantization, place: `${revision} ${folder}` };
    } catch (cause) {
      throw withModelParam(cause);
    }
  }

  async offer(model: string, signal: AbortSignal): Promise<PullTarget> {
    const allowlist = this.#allowlist;
    try {
      const reference = parseReference(model, this.#hub.url);
      return await findPullTarget({ reference, hub: this.#hub, allowlist, signal });
    } catch (cause) {
      throw withModelParam(cause);
    }
  }

  acquireLease(): Promise<Peer[]> {
    return Promise.resolve([]);
  }
}

/** The error for a node's request, which has `model` in place of `repo` and `filename`. */
function withModelParam(cause: unknown): unknown {
  if (!(cause instanceof ApiError) || cause.param === "model") return cause;
  const { kind, code, retryAfterS } = cause;
  const message = cause.message
    .replace("`repo` ", "`model` ")
    .replace("`filename` must be", "`model` must name")
    .replace("specify filename", "name one, as org/name/file.gguf");
  const more = retryAfterS === undefined ? {} : { retryAfterS };
  return new ApiError(kind, message, { code, param: "model", ...more, cause });
}
