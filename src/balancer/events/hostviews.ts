import type { HostView } from "../../wire/host.ts";
import { hostView } from "../admin/endpoints/hostview.ts";
import type { Endpoint } from "../upstream/endpoint.ts";

/** What an endpoint has in its memory, with its id. */
export interface IdentifiedHost {
  id: string;
  host: HostView;
}

interface Known {
  shown: IdentifiedHost;
  /** What it was made of. */
  revision: number;
  served: Endpoint["served"];
  deviceInfo: Endpoint["facts"]["deviceInfo"];
}

/** Views of hosts: the same object as before while nothing can be different. */
export class HostViews {
  readonly #known = new WeakMap<Endpoint, Known>();

  of(endpoint: Endpoint): IdentifiedHost {
    const { id, warmth, served, facts } = endpoint;
    const { revision } = warmth;
    const { deviceInfo } = facts;
    const known = this.#known.get(endpoint);
    if (known?.revision === revision && known.served === served && known.deviceInfo === deviceInfo)
      return known.shown;
    const shown = { id, host: hostView(endpoint) };
    this.#known.set(endpoint, { shown, revision, served, deviceInfo });
    return shown;
  }
}
