import type { EndpointFields, EndpointRow } from "../../../db/state/endpoint.ts";
import type { TokenRefusal } from "../../../db/state/enrolment.ts";
import type {
  AnnouncementAnswer,
  AnnouncementBody,
  EnrolmentAnswer,
  EnrolmentBody,
} from "../../../wire/enrolment.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { NodeRouteParts } from "./routes.ts";

/** A node's models may take minutes to load, so its requests may wait as long. */
const INFERENCE_TIMEOUT_MS = 600_000;

/** Lets nodes in, and keeps what is known of them as they tell it. */
export class Enroller {
  readonly #parts: NodeRouteParts;

  constructor(parts: NodeRouteParts) {
    this.#parts = parts;
  }

  /**
   * Makes a node an endpoint, or finds the one it was before: by its id, else by its address. Uses
   * the token up. Throws 401 for a token that is not good, 409 for an address that is taken.
   */
  async enrol(body: EnrolmentBody, url: string): Promise<EnrolmentAnswer> {
    const { enrolment } = this.#parts.state;
    const redeemed = await enrolment.redeemFor(body.node_id, body.token);
    if (!redeemed.ok) throw refusedToken(redeemed.reason);
    try {
      const endpoint = await this.#place(body, url);
      const credential = await enrolment.issueNodeKey(body.node_id, redeemed.tokenId);
      return { ...(await this.#welcome(endpoint)), credential };
    } catch (error) {
      if (!redeemed.again) await enrolment.release(redeemed.tokenId);
      throw error;
    }
  }

  /** Takes note of where a node is now; it is checked if anything is new or it was away. */
  async announce(
    row: EndpointRow,
    told: AnnouncementBody,
    url: string,
  ): Promise<AnnouncementAnswer> {
    const { endpointRegistry } = this.#parts;
    const endpoint = endpointRegistry.get(row.id);
    const { facts, health, models } = endpoint;
    const moved = facts.url !== url || facts.apiKey !== (told.api_key ?? undefined);
    if (moved) await endpointRegistry.change(endpoint, { baseUrl: url, apiKey: told.api_key });
    const sameModels =
      models?.size === told.models.length && told.models.every((id) => models.has(id));
    if (moved || health.status !== "online" || !sameModels) return this.#welcome(endpoint);
    return welcomeOf(endpoint, null);
  }

  async #place(body: EnrolmentBody, url: string): Promise<Endpoint> {
    const { endpointRegistry, state } = this.#parts;
    const { node_id: nodeId, api_key: apiKey, device } = body;
    const fields = {
      ...({ nodeId, baseUrl: url, apiKey, source: "node", type: "llmlb" } as const),
      ...(device === undefined ? {} : { deviceInfo: device }),
    } satisfies Partial<EndpointFields>;
    const known = (await state.endpoints.byNode(nodeId)) ?? (await this.#sameAddress(url));
    if (known !== undefined) {
      const endpoint = endpointRegistry.get(known.id);
      await endpointRegistry.change(endpoint, fields);
      return endpoint;
    }
    const { name } = body;
    const member = { ...fields, name, inferenceTimeoutMs: INFERENCE_TIMEOUT_MS };
    return endpointRegistry.create(member, { rename: true });
  }

  /** The endpoint at an address that a node takes over: what the configuration says stays. */
  async #sameAddress(url: string): Promise<EndpointRow | undefined> {
    const row = await this.#parts.state.endpoints.byUrl(url);
    return row?.source === "config" ? undefined : row;
  }

  /** Checks the node, so that it hears at once whether it can be reached. */
  async #welcome(endpoint: Endpoint): Promise<AnnouncementAnswer> {
    const result = await this.#parts.monitor.checkNow(endpoint);
    return welcomeOf(endpoint, result.ok ? null : result.reason);
  }
}

function welcomeOf({ id, name, facts }: Endpoint, reason: string | null): AnnouncementAnswer {
  return { endpoint_id: id, name, url: facts.url, reachable: reason === null, reason };
}

function refusedToken(reason: TokenRefusal): ApiError {
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
