import { ENDPOINT_KINDS, type EndpointKind } from "../../wire/endpoint.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { type BrokenStream, continuationWay, FINAL_MESSAGE_KINDS } from "./decision.ts";

const KINDS: readonly (EndpointKind | null)[] = [...ENDPOINT_KINDS, null];

/** Those that were made, by their keys: there are few. */
const made = new WeakMap<object, Map<string, Requirement<Endpoint>>>();
const NONE = {};

/** What an endpoint must have to go on with a stream, besides `own`: one of the kinds that can. */
export function requirementOf(
  stream: BrokenStream,
  own: Requirement<Endpoint> | undefined,
): Requirement<Endpoint> {
  return ofKinds(
    KINDS.filter((kind) => continuationWay(stream, kind) !== undefined),
    own,
  );
}

/** The same of one that need not say again what was said, and might say it otherwise. */
export function movingRequirementOf(
  stream: BrokenStream,
  own: Requirement<Endpoint> | undefined,
): Requirement<Endpoint> | undefined {
  const kinds = KINDS.filter((kind) => {
    const way = continuationWay(stream, kind);
    return way !== undefined && way !== "again";
  });
  return kinds.length === 0 ? undefined : ofKinds(kinds, own);
}

/** The same where another balancer asks to go on with the last message. */
export function finalMessageRequirement(
  own: Requirement<Endpoint> | undefined,
): Requirement<Endpoint> {
  return ofKinds(FINAL_MESSAGE_KINDS, own);
}

function ofKinds(
  kinds: readonly (EndpointKind | null)[],
  own: Requirement<Endpoint> | undefined,
): Requirement<Endpoint> {
  const key = kinds.join(" ");
  const owner = own ?? NONE;
  const known = made.get(owner) ?? new Map<string, Requirement<Endpoint>>();
  made.set(owner, known);
  const requirement = known.get(key) ?? {
    key: `${own?.key ?? ""} goes on: ${key}`,
    isMetBy: (endpoint: Endpoint, model: string) =>
      kinds.includes(endpoint.facts.kind) && (own?.isMetBy(endpoint, model) ?? true),
  };
  known.set(key, requirement);
  return requirement;
}
