import type { Capability } from "../../wire/capability.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import {
  capabilityRequirement,
  isDeclared,
  notCapable,
  requireCapability,
} from "../upstream/capability.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";

/** What was found of a model's endpoints a moment ago; there may be hundreds of them. */
interface Known {
  serving: readonly Endpoint[];
  untilMs: number;
  all: boolean;
}

const KNOWN_MS_MAX = 1000;
const KNOWN_MAX = 10_000;

/** A request whose model may not be able to do what it wants. */
export interface Wanted {
  /** As the client calls the model. */
  model: string;
  /** As the balancer lists it. */
  id: string;
  /** Undefined where none is known of the route. */
  ability: Capability | undefined;
  /** Of the route, if not every endpoint has it. */
  routeNeed: Requirement<Endpoint> | undefined;
}

/** The need of a route that only some endpoints have: found there, or declared by an operator. */
export function needOfRoute(path: string): Requirement<Endpoint> {
  return {
    key: path,
    isMetBy: (endpoint) => endpoint.speaks(path) || isDeclared(endpoint, path),
  };
}

/** Finds out what an endpoint must have for a request. */
export class Needs {
  readonly #pool: UpstreamPool;
  /** By ability and model, whether all that serve it have it. */
  readonly #known = new Map<string, Known>();

  constructor(pool: UpstreamPool) {
    this.#pool = pool;
  }

  /**
   * What an endpoint must have besides the model; undefined: nothing. Throws 400
   * (`model_capability_mismatch`, `model_not_supported`) if the model cannot do it anywhere.
   */
  of({ model, id, ability, routeNeed }: Wanted): Requirement<Endpoint> | undefined {
    if (ability === undefined) return routeNeed;
    const serving = this.#pool.serving(id);
    if (serving.length === 0) return routeNeed;
    const key = `${routeNeed?.key ?? ""} ${ability} ${id}`;
    const known = this.#known.get(key);
    const nowMs = performance.now();
    if (known !== undefined && known.serving === serving && nowMs < known.untilMs) {
      return needed(known.all, ability, routeNeed);
    }
    const able = requireCapability({ model, id, ability }, serving);
    const fit = able.filter((one) => routeNeed === undefined || routeNeed.isMetBy(one, id));
    const areAsked = serving.every(({ apis }) => apis !== undefined);
    if (fit.length === 0 && able.length > 0 && areAsked) throw notCapable(model, ability);
    const all = fit.length === serving.length;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    if (areAsked || routeNeed === undefined) {
      this.#known.set(key, { serving, untilMs: nowMs + KNOWN_MS_MAX, all });
    }
    return needed(all, ability, routeNeed);
  }
}

/** Where all endpoints will do, requests need not wait apart from others for the model. */
function needed(all: boolean, ability: Capability, routeNeed: Requirement<Endpoint> | undefined) {
  return all ? undefined : capabilityRequirement(ability, routeNeed);
}
