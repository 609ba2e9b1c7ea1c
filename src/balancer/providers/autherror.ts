import { EventLines } from "../../http/proxy/rewrite/lines.ts";
import type { Rewrite, Rewritten, StreamRewrite } from "../../http/proxy/rewrite/rewrite.ts";
import { parseJson } from "../../lib/json.ts";
import type { Logger } from "../../lib/log.ts";
import { ApiError, type Dialect, errorBody, errorHeaders } from "../../wire/error.ts";
import { readUpstreamError } from "../../wire/upstreamerror.ts";
import type { Provider } from "./provider.ts";

export interface AuthErrorOptions {
  provider: Provider;
  /** What else is made of the provider's answers. */
  rewrite: Rewrite | undefined;
  dialect: Dialect;
  requestId: string;
  log: Logger;
}

/**
 * A provider that refuses the balancer's key says nothing of the client's key: the client gets 502
 * `provider_key_rejected`, which names the setting, in place of 401 or 403. All other answers are
 * what `rewrite` makes of them.
 */
export class AuthErrorRewrite implements Rewrite {
  readonly #options: AuthErrorOptions;

  constructor(options: AuthErrorOptions) {
    this.#options = options;
  }

  whole(bytes: Buffer, status: number): Rewritten | Promise<Rewritten> {
    const { rewrite } = this.#options;
    const refused = status >= 400 ? this.#refused(bytes, status) : undefined;
    return refused ?? rewrite?.whole(bytes, status) ?? { bytes };
  }

  stream(type: string): StreamRewrite {
    return this.#options.rewrite?.stream(type) ?? new EventLines([], type);
  }

  #refused(bytes: Buffer, status: number): Rewritten | undefined {
    const text = bytes.toString("utf8");
    const { kind, message: said } = readUpstreamError(status, parseJson(text) ?? text);
    if (kind !== "unauthorized" && kind !== "forbidden") return undefined;
    const { provider, dialect, requestId, log } = this.#options;
    const { name, keyHolder } = provider;
    const why = provider.withoutKey(said);
    log.warn({ provider: name, status, why, request_id: requestId }, "cloud.key_rejected");
    // What the provider says may show parts of the key.
    const message = `The cloud \`${name}\` refused the balancer's own key, not yours: check \
${keyHolder} on the balancer; its log has the cloud's words.`;
    const error = new ApiError("misconfigured", message, { code: "provider_key_rejected" });
    return {
      bytes: new TextEncoder().encode(JSON.stringify(errorBody(error, dialect, requestId))),
      status: error.status,
      headers: errorHeaders(error),
    };
  }
}
