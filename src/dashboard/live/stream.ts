import { useSyncExternalStore } from "react";
import { LiveEvent } from "../../wire/event.ts";
import { LiveState } from "./state.ts";

/** All screens' one view of what happens now; what comes within a frame is shown with it. */
export const live = new LiveState((tell) => requestAnimationFrame(tell));

const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 15_000;

/** The page's one connection to `GET /api/events`. */
export class LiveStream {
  #source: EventSource | undefined;
  #timer: number | undefined;
  #lastId = "";
  #retryMs = RETRY_MS_MIN;
  readonly #onEvent: (event: LiveEvent) => void;
  readonly #onRefused: () => void;

  /** `onRefused` is called where a connection was refused, not cut. */
  constructor(onEvent: (event: LiveEvent) => void, onRefused: () => void) {
    this.#onEvent = onEvent;
    this.#onRefused = onRefused;
  }

  /** Connects, unless it is. */
  open(): void {
    if (this.#source !== undefined) return;
    const after = this.#lastId === "" ? "" : `?last_event_id=${encodeURIComponent(this.#lastId)}`;
    const source = new EventSource(`/api/events${after}`);
    this.#source = source;
    source.onmessage = ({ data, lastEventId }) => this.#receive(data, lastEventId);
    source.onerror = () => {
      live.setConnected(false);
      // A connection that was cut the browser makes again by itself.
      if (source.readyState !== EventSource.CLOSED) return;
      this.close();
      this.#onRefused();
      this.#timer = window.setTimeout(() => this.open(), this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
    };
  }

  /** Disconnects; the next connection goes on where this one ended. */
  close(): void {
    window.clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    live.setConnected(false);
  }

  #receive(data: string, id: string): void {
    if (id !== "") this.#lastId = id;
    const event = LiveEvent.safeParse(JSON.parse(data));
    // A newer llmlb may tell more than this page knows.
    if (!event.success) return;
    if (event.data.type === "hello") {
      this.#retryMs = RETRY_MS_MIN;
      live.setConnected(true);
    }
    live.apply(event.data);
    this.#onEvent(event.data);
  }
}

/** Whether what is shown follows what happens. */
export function useIsLive(): boolean {
  return useSyncExternalStore(live.subscribe, () => live.isConnected);
}
