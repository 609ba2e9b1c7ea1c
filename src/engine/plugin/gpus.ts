import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A GPU on the PCI bus, whether it has a driver or not. */
export interface SeenGpu {
  vendor: "NVIDIA" | "AMD" | "Intel";
  /** E.g. `0000:01:00.0`. */
  address: string;
}

const VENDORS: Partial<Record<string, SeenGpu["vendor"]>> = {
  "0x10de": "NVIDIA",
  "0x1002": "AMD",
  "0x8086": "Intel",
};

/** Classes of PCI: displays and 3D controllers, and processing accelerators. */
const CLASSES = /^0x(?:03|12)/;

/** The GPUs of this machine of makers whose GPUs can compute; none where that is not told. */
export function seenGpus(folder = "/sys/bus/pci/devices"): SeenGpu[] {
  return addressesIn(folder).flatMap((address) => {
    const read = (name: string) => readFileSync(join(folder, address, name), "utf8").trim();
    try {
      const vendor = CLASSES.test(read("class")) ? VENDORS[read("vendor")] : undefined;
      return vendor === undefined ? [] : [{ vendor, address }];
    } catch {
      return []; // It was unplugged just now.
    }
  });
}

function addressesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // Another system, or a container that hides the bus.
  }
}
