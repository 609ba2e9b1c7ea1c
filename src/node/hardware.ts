import { madeChoice } from "../engine/plugin/choice.ts";
import { seenGpus } from "../engine/plugin/gpus.ts";
import type { Device, NodeSystem } from "../wire/system.ts";

/** What a node says of its GPUs: the backend in use, those that are not, what is on the bus. */
export function describeHardware(
  devices: Device[],
  home: string,
): Pick<NodeSystem, "backend" | "skipped_backends" | "gpus"> {
  return {
    backend: backendOf(devices),
    skipped_backends: madeChoice(home)?.skipped ?? [],
    gpus: seenGpus().map(({ vendor, address, driver, driverVersion }) => ({
      ...{ vendor, address },
      ...(driver === undefined ? {} : { driver }),
      ...(driverVersion === undefined ? {} : { driver_version: driverVersion }),
    })),
  };
}

/**
 * The backend of the first GPU, by what ggml calls its device: a word and a number, e.g. `CUDA0`;
 * `cpu` where there is none.
 */
export function backendOf(devices: Device[]): string {
  const gpu = devices.find(({ type }) => type === "gpu" || type === "igpu");
  const word = /^[a-z]+/i.exec(gpu?.name ?? "")?.[0].toLowerCase() ?? "cpu";
  return word === "mtl" ? "metal" : word;
}
