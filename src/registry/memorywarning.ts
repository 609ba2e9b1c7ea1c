import type { DeviceInfo } from "../db/state/endpoint.ts";
import { requiredMemory } from "../model/memory.ts";

const GB = 2 ** 30;

/** From here on a model is large for any machine. */
const LARGE_BYTES = 50 * GB;

/**
 * Warnings for an operator who registers a model that may not fit. `smallestBytes` is the size of
 * the smallest weights that a node can choose; `devices` are those that the registered endpoints
 * report.
 */
export function memoryWarnings(smallestBytes: number, devices: readonly DeviceInfo[]): string[] {
  const warnings: string[] = [];
  const required = requiredMemory(smallestBytes);
  const memories = devices.map(({ gpu_devices: gpus }) =>
    gpus.reduce((sum, { total_memory_bytes: total }) => sum + total, 0),
  );
  const most = Math.max(0, ...memories);
  if (most === 0) warnings.push("No GPU memory info available from registered endpoints");
  else if (required > most) {
    warnings.push(
      `Model requires ${inGb(required)}GB but max endpoint GPU memory is ${inGb(most)}GB`,
    );
  }
  if (smallestBytes > LARGE_BYTES) {
    warnings.push(`Model is larger than 50GB: ${inGb(smallestBytes)}GB to download for each node`);
  }
  return warnings;
}

function inGb(bytes: number): string {
  return (bytes / GB).toFixed(1);
}
