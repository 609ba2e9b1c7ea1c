import type { Settings } from "../../config/settings.ts";
import type { Lease } from "../limits/usagelimits.ts";
import type { Slot } from "../upstream/upstream.ts";

/** Longest name that is told, in characters: clients choose the names of providers' models. */
const NAME_CHARS_MAX = 256;

/** Names that are URI text already, as nearly all are; what `%` means in others is not certain. */
const PLAIN = /^[\w.:/@+,;=()!~*'#?&$-]+$/;

/**
 * The headers that say who served an answer: the upstream, and the model by the upstream's own name
 * for it, "" for none. Names may hold anything, so they are percent-encoded as `encodeURI` does it;
 * `decodeURIComponent` gives them back.
 */
export function servedBy(upstream: { readonly name: string }, model: string) {
  const headers: Record<string, string> = { "x-llmlb-endpoint": encoded(upstream.name) };
  if (model !== "") headers["x-llmlb-model"] = encoded(model);
  return headers;
}

function encoded(name: string): string {
  if (name.length <= NAME_CHARS_MAX && PLAIN.test(name)) return name;
  // Cutting may leave half of a character, which cannot be encoded.
  return encodeURI(name.slice(0, NAME_CHARS_MAX).toWellFormed());
}

interface AnswerHeaderOptions {
  slot: Pick<Slot, "upstream">;
  /** The upstream's own name for the model. */
  name: string;
  settings: Pick<Settings, "servedBy">;
  lease: Lease | undefined;
}

/** Our headers of an answer: who served it, and what is left of its key's limits. */
export function answerHeaders({ slot, name, settings, lease }: AnswerHeaderOptions) {
  const told = settings.servedBy ? servedBy(slot.upstream, name) : undefined;
  return lease === undefined ? told : { ...told, ...lease.headers() };
}
