import type { LoadedState } from "../../../wire/loadedstate.ts";
import type { HostPicture } from "./picture.ts";

/** A model on all hosts together. */
export interface ModelSum {
  model: string;
  /** The best of its states. */
  state: LoadedState;
  /** On how many hosts it is in memory, or comes there. */
  hosts: number;
  active: number;
  waiting: number;
}

/** Null: served by an endpoint that does not tell. */
const BEST_FIRST: readonly LoadedState[] = ["loaded", null, "loading", "failed", "cold"];

/** The models that are in a memory, work, or are waited for, by name. */
export function modelSums(
  pictures: readonly HostPicture[],
  queues: Readonly<Record<string, number>>,
): ModelSum[] {
  const sums = new Map<string, ModelSum>();
  const sumOf = (model: string): ModelSum => {
    const known = sums.get(model);
    if (known !== undefined) return known;
    const sum: ModelSum = { model, state: "cold", hosts: 0, active: 0, waiting: 0 };
    sums.set(model, sum);
    return sum;
  };
  for (const { endpoint, load, condition } of pictures) {
    for (const { model, state } of condition === "offline" ? [] : endpoint.host.models) {
      if (state === "cold" || (state === null && !load.models[model])) continue;
      const sum = sumOf(model);
      if (state !== "failed") sum.hosts += 1;
      if (BEST_FIRST.indexOf(state) < BEST_FIRST.indexOf(sum.state)) sum.state = state;
    }
    for (const [model, active] of Object.entries(load.models)) sumOf(model).active += active;
  }
  for (const [model, waiting] of Object.entries(queues)) sumOf(model).waiting = waiting;
  return [...sums.values()].sort((a, b) => (a.model < b.model ? -1 : 1));
}
