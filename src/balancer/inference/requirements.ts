import type { Capability } from "../../wire/capability.ts";
import { type InferenceRoute, ROUTE_LIST, type RouteName } from "../../wire/route.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import {
  capabilityOf,
  isCapable,
  isDeclared,
  notCapable,
  requireCapability,
} from "../upstream/capability.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { translatorOf } from "../upstream/translator.ts";
import type { RequestContext } from "./context.ts";

/** What a look at all endpoints of a model found; there may be hundreds of them. */
interface Finding {
  serving: readonly Endpoint[];
  untilMs: number;
  /** All of them meet the requirement. */
  all: boolean;
}

const FINDING_MS_MAX = 1000;
const FINDINGS_MAX = 10_000;

/** The requirements of routes that some endpoints lack: found there, or declared by an operator. */
const BY_ROUTE: ReadonlyMap<RouteName, Requirement<Endpoint>> = new Map(
  ROUTE_LIST.filter(isMissingSomewhere).map((route) => [
    route.name,
    {
      key: route.path,
      isMetBy: (endpoint) => endpoint.hasRoute(route) || isDeclared(endpoint, route),
    },
  ]),
);

/** What an endpoint must have for a route; undefined where every one can be asked somehow. */
export function routeRequirement({ name }: InferenceRoute): Requirement<Endpoint> | undefined {
  return BY_ROUTE.get(name);
}

function isMissingSomewhere({ name, presence }: InferenceRoute): boolean {
  return presence !== "always" && translatorOf(name) === undefined;
}

/** Finds out what an endpoint must have for a request besides its model. */
export class Requirements {
  readonly #pool: UpstreamPool;
  /** By requirement and model. */
  readonly #findings = new Map<string, Finding>();

  constructor(pool: UpstreamPool) {
    this.#pool = pool;
  }

  /**
   * What an endpoint must have; undefined: nothing. Throws 400 (`model_capability_mismatch`,
   * `model_not_supported`) if the model cannot do it anywhere.
   */
  of({ route, model, modelId: id, hasImages }: RequestContext): Requirement<Endpoint> | undefined {
    const capability = capabilityOf(route, hasImages);
    const ofRoute = routeRequirement(route);
    const serving = this.#pool.serving(id);
    if (serving.length === 0) return ofRoute;
    const key = `${ofRoute?.key ?? ""} ${capability} ${id}`;
    const known = this.#findings.get(key);
    const nowMs = performance.now();
    if (known !== undefined && known.serving === serving && nowMs < known.untilMs) {
      return required(known.all, capability, ofRoute);
    }
    const able = requireCapability({ model, id, capability }, serving);
    const fit = able.filter((one) => ofRoute === undefined || ofRoute.isMetBy(one, id));
    const areDetected = serving.every(({ routes }) => routes !== undefined);
    if (fit.length === 0 && able.length > 0 && areDetected) throw notCapable(model, capability);
    const all = fit.length === serving.length;
    if (this.#findings.size >= FINDINGS_MAX) this.#findings.clear();
    if (areDetected || ofRoute === undefined) {
      this.#findings.set(key, { serving, untilMs: nowMs + FINDING_MS_MAX, all });
    }
    return required(all, capability, ofRoute);
  }
}

/** Where all endpoints will do, requests need not wait apart from others for the model. */
function required(
  all: boolean,
  capability: Capability,
  ofRoute: Requirement<Endpoint> | undefined,
): Requirement<Endpoint> | undefined {
  return all ? undefined : capabilityRequirement(capability, ofRoute);
}

const byCapability = new Map<string, Requirement<Endpoint>>();

/** The requirement of a capability beside one of the route, if there is that; made once each. */
export function capabilityRequirement(
  capability: Capability,
  ofRoute?: Requirement<Endpoint>,
): Requirement<Endpoint> {
  const key = ofRoute === undefined ? capability : `${ofRoute.key} ${capability}`;
  let requirement = byCapability.get(key);
  if (requirement === undefined) {
    requirement = {
      key,
      isMetBy: (endpoint, id) =>
        isCapable(endpoint, id, capability) &&
        (ofRoute === undefined || ofRoute.isMetBy(endpoint, id)),
    };
    byCapability.set(key, requirement);
  }
  return requirement;
}
