import type { State } from "../../../db/database.ts";
import type { EndpointFields, EndpointRow } from "../../../db/state/endpoint.ts";
import type { TokenRefusal } from "../../../db/state/enrolment.ts";
import type {
  AnnouncementAnswer,
  AnnouncementBody,
  EnrolmentAnswer,
  EnrolmentBody,
} from "../../../wire/enrolment.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Monitor } from "../../health/monitor.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { EndpointRegistry } from "../endpoints/registry.ts";

export interface EnrollerParts {
  endpointRegistry: EndpointRegistry;
  monitor: Monitor;
  state: State;
}

/** A node's models may take minutes to load, so its requests may wait as long. */
const INFERENCE_TIMEOUT_MS = 600_000;

/** Enrols nodes as endpoints, and keeps the endpoints up to date with the nodes' announcements. */
export class Enroller {
  readonly #parts: EnrollerParts;

  constructor(parts: EnrollerParts) {
    this.#parts = parts;
  }

  /**
   * Makes a node an endpoint, or updates the one it was before, found by its id, else by its
   * address. Counts as one use of the token. Throws 401 if the token cannot be used, 409 if an
   * endpoint of an operator has the address.
   */
  async enrol(body: EnrolmentBody, url: string): Promise<EnrolmentAnswer> {
    const { enrolment } = this.#parts.state;
    const redeemed = await enrolment.redeemFor(body.node_id, body.token);
    if (!redeemed.ok) throw invalidToken(redeemed.reason);
    try {
      const endpoint = await this.#endpointFor(body, url);
      const credential = await enrolment.issueNodeKey(body.node_id, redeemed.tokenId);
      return { ...(await this.#checked(endpoint)), credential };
    } catch (error) {
      if (!redeemed.again) await enrolment.release(redeemed.tokenId);
      throw error;
    }
  }

  /**
   * Updates a node's address and key. Checks the node if they changed, if it lists other models
   * than before, or if it was not online.
   */
  async announce(
    row: EndpointRow,
    body: AnnouncementBody,
    url: string,
  ): Promise<AnnouncementAnswer> {
    const { endpointRegistry } = this.#parts;
    const endpoint = endpointRegistry.get(row.id);
    const { facts, health, models } = endpoint;
    const fingerprint = body.tls_fingerprint ?? null;
    const moved =
      facts.url !== url ||
      facts.apiKey !== (body.api_key ?? undefined) ||
      facts.fingerprint !== fingerprint;
    const place = { baseUrl: url, apiKey: body.api_key, fingerprint };
    if (moved) await endpointRegistry.change(endpoint, place);
    const sameModels =
      models?.size === body.models.length && body.models.every((id) => models.has(id));
    if (moved || health.status !== "online" || !sameModels) return this.#checked(endpoint);
    return welcomeOf(endpoint, null);
  }

  async #endpointFor(body: EnrolmentBody, url: string): Promise<Endpoint> {
    const { endpointRegistry, state } = this.#parts;
    const { node_id: nodeId, api_key: apiKey, device } = body;
    const fields = {
      ...({ nodeId, baseUrl: url, apiKey, source: "node", type: "llmlb" } as const),
      fingerprint: body.tls_fingerprint ?? null,
      ...(device === undefined ? {} : { deviceInfo: device }),
    } satisfies Partial<EndpointFields>;
    const existing = (await state.endpoints.byNode(nodeId)) ?? (await this.#rowAt(url));
    if (existing !== undefined) {
      const endpoint = endpointRegistry.get(existing.id);
      await endpointRegistry.change(endpoint, fields);
      return endpoint;
    }
    const { name } = body;
    const created = { ...fields, name, inferenceTimeoutMs: INFERENCE_TIMEOUT_MS };
    return endpointRegistry.create(created, { rename: true });
  }

  /**
   * The endpoint of another node at an address, which a node that is set up anew takes over. One
   * that an operator registered is the operator's: whoever has a token would get its requests.
   */
  async #rowAt(url: string): Promise<EndpointRow | undefined> {
    const row = await this.#parts.state.endpoints.byUrl(url);
    if (row === undefined || row.source === "node") return row;
    const message = `Enrolling the node failed: the endpoint ${row.name} has its address ${url}, \
and an operator registered it. Remove it first (llmlb endpoint rm ${row.name}), or go on without \
joining.`;
    throw new ApiError("conflict", message, { code: "duplicate_url", param: "url" });
  }

  /** Checks the node, so that the answer says whether the balancer reaches it. */
  async #checked(endpoint: Endpoint): Promise<AnnouncementAnswer> {
    const result = await this.#parts.monitor.checkNow(endpoint);
    return welcomeOf(endpoint, result.ok ? null : result.reason);
  }
}

function welcomeOf({ id, name, facts }: Endpoint, reason: string | null): AnnouncementAnswer {
  return { endpoint_id: id, name, url: facts.url, reachable: reason === null, reason };
}

function invalidToken(reason: TokenRefusal): ApiError {
  const words = {
    unknown: "it is not known here",
    revoked: "it was revoked",
    expired: "it has expired",
    used_up: "it was used as often as it may be",
  };
  const message = `Enrolling the node failed: the token is no good, ${words[reason]}. Make another \
one: llmlb endpoint token.`;
  return new ApiError("unauthorized", message, { code: `token_${reason}`, param: "token" });
}
