import type { Tap } from "../../http/proxy/relay.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { RequestContext } from "./context.ts";

/** Responses whose endpoint is remembered; the oldest is forgotten first. */
const RESPONSES_MAX = 10_000;

/** The id of a response, which stands in the first event of a stream and early in an answer. */
const ID = /"id"\s*:\s*"(resp[^"\\]{1,200})"/;
const LOOK_BYTES = 2048;
const LOOKS_MAX = 3;

/**
 * Which endpoint made which response: only that one can go on from it. Endpoints that speak the
 * Responses API themselves may keep theirs; what was translated nobody keeps.
 */
export class KeptResponses {
  /** Ids of endpoints by ids of responses. */
  readonly #makers = new Map<string, string>();
  readonly #requirements = new WeakMap<Endpoint, Requirement<Endpoint>>();

  /** What looks on while an answer passes: the request's record, and whatever finds its id. */
  tap({ route, provider, record }: RequestContext, upstream: Upstream): Tap | undefined {
    const isKept = route.name === "responses" && provider === undefined;
    if (!isKept || upstream.supportOf(route) !== "native") return record;
    let looks = 0;
    return {
      push: (bytes) => {
        record?.push(bytes);
        if (looks >= LOOKS_MAX) return;
        const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const id = ID.exec(head.toString("latin1", 0, LOOK_BYTES))?.[1];
        looks = id === undefined ? looks + 1 : LOOKS_MAX;
        if (id !== undefined) this.#remember(id, upstream.id);
      },
    };
  }

  /** What a request needs that goes on from a response: its maker, if that is known and there. */
  requirementFor(
    id: string | undefined,
    serving: readonly Endpoint[],
  ): Requirement<Endpoint> | undefined {
    const maker = id === undefined ? undefined : this.#makers.get(id);
    const endpoint = maker === undefined ? undefined : serving.find((one) => one.id === maker);
    if (endpoint === undefined) return undefined;
    let requirement = this.#requirements.get(endpoint);
    if (requirement === undefined) {
      requirement = { key: `responses of ${endpoint.id}`, isMetBy: (one) => one === endpoint };
      this.#requirements.set(endpoint, requirement);
    }
    return requirement;
  }

  #remember(id: string, maker: string): void {
    this.#makers.delete(id);
    this.#makers.set(id, maker);
    if (this.#makers.size <= RESPONSES_MAX) return;
    for (const oldest of this.#makers.keys()) {
      this.#makers.delete(oldest);
      return;
    }
  }
}
