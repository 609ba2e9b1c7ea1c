import type { MadeResponse } from "../../db/history/records.ts";
import type { Tap } from "../../http/proxy/relay.ts";
import { ROUTES } from "../../wire/route.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { RequestContext } from "./context.ts";

/** Where is stored who made which response. */
export interface ResponseStore {
  /** Neither waits nor fails. */
  record(response: MadeResponse): void;
  get(id: string): Promise<MadeResponse | undefined>;
}

/** Responses that are remembered here; of older ones the store is asked. */
const RESPONSES_MAX = 10_000;

/**
 * The id of a response, which stands in the first event of a stream and early in an answer: the
 * first one that begins as OpenAI's do, else the first one.
 */
const IDS = [/"id"\s*:\s*"(resp[^"\\]{1,200})"/, /"id"\s*:\s*"([^"\\]{1,200})"/];
const NOT_STORED = /"store"\s*:\s*false/;
const LOOK_BYTES = 2048;
const LOOKS_MAX = 3;
/** What comments begin with, which keep a stream alive until its first event. */
const COLON = 0x3a;

function idIn(head: string): string | undefined {
  for (const pattern of IDS) {
    const id = pattern.exec(head)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

/** The only one of these endpoints that may keep something; undefined where others may, too. */
export function soleKeeper(endpoints: readonly Endpoint[]): Endpoint | undefined {
  if (endpoints.some(({ routes }) => routes === undefined)) return undefined;
  const keepers = endpoints.filter(mayKeep);
  return keepers.length === 1 ? keepers[0] : undefined;
}

const isNative = (endpoint: Endpoint) => endpoint.hasRoute(ROUTES.responses);

/** Our nodes keep nothing. */
const mayKeep = (one: Endpoint) => isNative(one) && one.facts.kind !== "llmlb";

/** A balancer, which is of the same kind as our nodes, may know somebody who keeps responses. */
const BACKGROUND: readonly Requirement<Endpoint>[] = [
  { key: "kept responses", isMetBy: mayKeep },
  { key: "responses", isMetBy: isNative },
];

/**
 * Which upstream made which response: only that one can go on from it, or give it back. Those that
 * speak the Responses API themselves may keep theirs; what was translated nobody keeps.
 */
export class KeptResponses {
  readonly #store: ResponseStore;
  readonly #made = new Map<string, MadeResponse>();
  readonly #requirements = new WeakMap<Endpoint, Requirement<Endpoint>>();

  constructor(store: ResponseStore) {
    this.#store = store;
  }

  /** What looks on while an answer passes: the request's record, and whatever finds its id. */
  tap({ route, model, record }: RequestContext, upstream: Upstream): Tap | undefined {
    if (route.name !== "responses" || upstream.supportOf(route) !== "native") return record;
    let looks = 0;
    return {
      push: (bytes) => {
        record?.push(bytes);
        if (looks >= LOOKS_MAX || bytes[0] === COLON) return;
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const head = buffer.toString("latin1", 0, LOOK_BYTES);
        const id = idIn(head);
        looks = id === undefined ? looks + 1 : LOOKS_MAX;
        if (id === undefined) return;
        const response = { id, upstreamId: upstream.id, model, madeAt: Date.now() };
        this.#remember(response);
        // Of what says that nobody keeps it, as every response of our nodes does, no row is made.
        if (!NOT_STORED.test(head)) this.#store.record(response);
      },
    };
  }

  /** Who made a response; undefined if nobody knows. Throws `StorageError`. */
  find(id: string): MadeResponse | undefined | Promise<MadeResponse | undefined> {
    return this.#made.get(id) ?? this.#store.get(id);
  }

  /** What a request needs that goes on from a response: its maker, if that has the model. */
  requirementFor(
    { upstreamId }: MadeResponse,
    serving: readonly Endpoint[],
  ): Requirement<Endpoint> | undefined {
    const endpoint = serving.find(({ id }) => id === upstreamId);
    return endpoint === undefined ? undefined : this.#requirementOf(endpoint);
  }

  /** The same where it is not known who keeps something: the only one that may. */
  soleRequirement(serving: readonly Endpoint[]): Requirement<Endpoint> | undefined {
    const endpoint = soleKeeper(serving);
    return endpoint === undefined ? undefined : this.#requirementOf(endpoint);
  }

  #requirementOf(endpoint: Endpoint): Requirement<Endpoint> {
    let requirement = this.#requirements.get(endpoint);
    if (requirement === undefined) {
      requirement = {
        key: `responses of ${endpoint.id}`,
        // After a restart it is to be detected once more.
        isMetBy: (one) => one === endpoint && isNative(one),
      };
      this.#requirements.set(endpoint, requirement);
    }
    return requirement;
  }

  /** What a request needs that is answered in the background; undefined where nobody does it. */
  backgroundRequirement(serving: readonly Endpoint[]): Requirement<Endpoint> | undefined {
    return BACKGROUND.find(({ isMetBy }) => serving.some((one) => isMetBy(one, "")));
  }

  #remember(response: MadeResponse): void {
    this.#made.delete(response.id);
    this.#made.set(response.id, response);
    if (this.#made.size <= RESPONSES_MAX) return;
    for (const oldest of this.#made.keys()) {
      this.#made.delete(oldest);
      return;
    }
  }
}
