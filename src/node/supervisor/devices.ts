import type { Logger } from "../../lib/log.ts";
import type { Device } from "../../wire/system.ts";

/** Reads the compute devices of this host; `probeDevices`, or a stand-in for it in tests. */
export type Probe = (options: { home: string; log: Logger }) => Promise<Device[]>;

export interface DevicesOptions {
  probe: Probe;
  home: string;
  log: Logger;
  /** Default: the system's clock. */
  nowMs?(): number;
}

/** A list older than this is read anew, by a process of its own. */
const FRESH_MS = 10_000;

/** Waking a GPU driver can take longer than whoever asks will wait; the next answer has them. */
const FIRST_WAIT_MS = 3000;

/** The compute devices of this host, remembered. */
export class Devices {
  readonly #options: DevicesOptions;
  #known: Device[] = [];
  #readMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  /** The devices as last read; an old list is renewed in the background, the first awaited. */
  async list(): Promise<Device[]> {
    const { nowMs = Date.now } = this.#options;
    const first = this.#readMs === Number.NEGATIVE_INFINITY;
    if (this.#reading === undefined && nowMs() - this.#readMs > FRESH_MS) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
        this.#readMs = nowMs();
      });
    }
    if (first && this.#reading !== undefined) await atMost(FIRST_WAIT_MS, this.#reading);
    return this.#known;
  }

  async #read(): Promise<void> {
    const { probe, home, log } = this.#options;
    try {
      this.#known = await probe({ home, log });
    } catch (err) {
      log.warn({ err }, "devices.probe_failed");
    }
  }
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const { promise: passed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, passed]);
  clearTimeout(timer);
}
