import type { NodeReadiness } from "../wire/system.ts";
import type { EngineStatus } from "./supervisor/lifecycle.ts";

/** What decides whether requests may be sent to a node. */
export interface ReadinessFacts {
  /** It refuses new requests because it is shutting down. */
  closing: boolean;
  /** It has not received its first list of models yet. */
  syncing: boolean;
  /** What its balancer said last, while it has not joined the one that it should. */
  joining: string | undefined;
  /** The model that is loaded at start is not loaded yet, and has not failed. */
  loading: boolean;
  /** The engine of each model that the settings name; undefined: none was started. */
  engines: (EngineStatus | undefined)[];
}

/**
 * The first of these that is true:
 *
 * | it                                             | is           |
 * |------------------------------------------------|--------------|
 * | shuts down                                     | draining     |
 * | has no list of models yet                      | syncing      |
 * | should join a balancer and has not             | joining      |
 * | loads its first model                          | loading      |
 * | could load none of the models that it is given | model_failed |
 * | else                                           | ready        |
 */
export function readinessOf(facts: ReadinessFacts): NodeReadiness {
  const { closing, syncing, joining, loading, engines } = facts;
  if (closing) return { status: "draining" };
  if (syncing) return { status: "syncing" };
  if (joining !== undefined) return { status: "joining", reason: joining };
  if (loading) return { status: "loading" };
  const failures = engines.map((engine) => (engine?.state === "ready" ? undefined : engine?.error));
  const [reason] = failures;
  if (reason !== undefined && !failures.includes(undefined)) {
    return { status: "model_failed", reason };
  }
  return { status: "ready" };
}
