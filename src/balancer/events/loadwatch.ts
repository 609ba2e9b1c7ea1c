import type { LiveEvent } from "../../wire/event.ts";
import { loadView } from "../admin/endpoints/hostview.ts";
import type { Endpoint } from "../upstream/endpoint.ts";

/** Says which endpoints work on other requests than when it looked last, and who waits. */
export class LoadWatch {
  readonly #loads = new Map<string, string>();
  #queues = "{}";

  /** What is different now; undefined: nothing. */
  change(
    endpoints: readonly Endpoint[],
    queues: Readonly<Record<string, number>>,
  ): (LiveEvent & { type: "load" }) | undefined {
    const changed = endpoints.filter(
      ({ id, load: { active } }) => active > 0 || this.#loads.has(id),
    );
    const loads = changed.map(loadView).filter((load) => {
      const text = JSON.stringify(load);
      if (this.#loads.get(load.id) === text) return false;
      if (load.active === 0) this.#loads.delete(load.id);
      else this.#loads.set(load.id, text);
      return true;
    });
    const text = JSON.stringify(queues);
    const isSame = text === this.#queues;
    this.#queues = text;
    if (loads.length === 0 && isSame) return undefined;
    return { type: "load", changed: loads, ...(isSame ? {} : { queues: { ...queues } }) };
  }

  /** Forgets what it saw: whoever looks next knows nothing. */
  reset(): void {
    this.#loads.clear();
    this.#queues = "{}";
  }
}
