import type { Device } from "../wire/system.ts";

/** The devices of a host that it lends: those that models are loaded on, else its processor. */
export function devicesToLend(devices: readonly Device[]): Device[] {
  const fast = devices.filter(({ type }) => type === "gpu" || type === "igpu");
  return fast.length > 0 ? fast : devices.filter(({ type }) => type === "cpu").slice(0, 1);
}
