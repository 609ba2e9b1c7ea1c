import { withDeadline } from "../../lib/deadline.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Logger } from "../../lib/log.ts";
import type { Device } from "../../wire/system.ts";

/** Reads the compute devices of this host; `probeDevices`, or a fake in tests. */
export type DeviceProbe = (options: { home: string; log: Logger }) => Promise<Device[]>;

export interface DevicesOptions {
  probe: DeviceProbe;
  home: string;
  log: Logger;
  /** Default: the system's clock. */
  nowMs?(): number;
}

/** A list older than this is read again. */
const FRESH_MS = 10_000;

/** Longest wait for the first list: a GPU driver may take longer to wake than a client waits. */
const FIRST_WAIT_MS = 3000;

/** The compute devices of this host, read again at most every 10 s. */
export class Devices {
  /** Called with each list as it is read. */
  onRead: (devices: readonly Device[]) => void = () => undefined;
  readonly #options: DevicesOptions;
  #devices: Device[] = [];
  #readMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  /** The devices as last read. Old lists are renewed in the background. Waits 3 s for the first. */
  async list(): Promise<Device[]> {
    const { nowMs = Date.now } = this.#options;
    const first = this.#readMs === Number.NEGATIVE_INFINITY;
    const reading = nowMs() - this.#readMs > FRESH_MS ? this.#renew() : undefined;
    if (first && reading !== undefined) await withDeadline(reading, { timeoutMs: FIRST_WAIT_MS });
    return this.#devices;
  }

  /** The devices as they are now. Where none has memory of its own, they are not asked again. */
  async fresh(): Promise<Device[]> {
    const known = await this.list();
    if (!known.some(({ type }) => type === "gpu")) return known;
    await withDeadline(this.#renew(), { timeoutMs: FIRST_WAIT_MS });
    return this.#devices;
  }

  #renew(): Promise<void> {
    const { nowMs = Date.now } = this.#options;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.#readMs = nowMs();
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { probe, home, log } = this.#options;
    try {
      this.#devices = await probe({ home, log });
      this.onRead(this.#devices);
    } catch (error) {
      const reason = errorMessage(error);
      log.warn({ reason }, "devices.probe_failed");
    }
  }
}
