import type { EndpointKind } from "../../wire/endpoint.ts";
import { ROUTE_LIST, type RouteName } from "../../wire/route.ts";
import type { UsageSupport } from "./upstream.ts";

const namesOf = (isOne: (route: (typeof ROUTE_LIST)[number]) => boolean): readonly RouteName[] =>
  ROUTE_LIST.filter(isOne).map(({ name }) => name);

const USUAL = namesOf(({ presence }) => presence === "usual");
const ON_NODES = namesOf(({ onNodes, presence }) => onNodes && presence !== "always");
const OLLAMA = namesOf(({ presence }) => presence === "usual" || presence === "ollama");

/** The routes, besides chat completions, that servers of a kind have as a rule. */
export function routesOfKind(kind: EndpointKind | null): readonly RouteName[] {
  switch (kind) {
    case "llmlb":
      return ON_NODES;
    case "ollama":
      return OLLAMA;
    default:
      return USUAL;
  }
}

/** What servers of a kind do about the usage of a stream. */
export function usageSupportOfKind(kind: EndpointKind | null): UsageSupport {
  switch (kind) {
    // Both tell token counts with the last event anyway, as `timings`.
    case "llmlb":
    case "llama_server":
      return "on_request";
    case "ollama":
    case "vllm":
    case "sglang":
    case "lm_studio":
      return "if_asked_for";
    default:
      return "unknown";
  }
}

/** Whether servers of a kind answer checks while they work on requests, as far as that is known. */
export function answersBesideOfKind(kind: EndpointKind | null): boolean {
  return kind !== null && kind !== "openai_compatible";
}

/**
 * Whether servers of a kind run models themselves, so that the stamp of Anthropic's clients is of
 * no use to them but in the way of their caches. Whatever else there is may be in front of a cloud.
 */
export function ignoresStampsOfKind(kind: EndpointKind | null): boolean {
  return kind !== null && kind !== "llmlb" && kind !== "openai_compatible";
}
