import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

/** A GPU on the PCI bus, whether it has a driver or not. */
export interface SeenGpu {
  vendor: "NVIDIA" | "AMD" | "Intel";
  /** E.g. `0000:01:00.0`. */
  address: string;
  /** The driver in the kernel, e.g. `amdgpu`; absent: there is none. */
  driver?: string;
  /** Its version; absent where it belongs to the kernel and has none of its own. */
  driverVersion?: string;
}

const VENDORS: Partial<Record<string, SeenGpu["vendor"]>> = {
  "0x10de": "NVIDIA",
  "0x1002": "AMD",
  "0x8086": "Intel",
};

/** Classes of PCI: displays and 3D controllers, and processing accelerators. */
const CLASSES = /^0x(?:03|12)/;

/** The GPUs of this machine of makers whose GPUs can compute; none where that is not told. */
export function seenGpus(sys = "/sys"): SeenGpu[] {
  const folder = join(sys, "bus/pci/devices");
  return namesIn(folder).flatMap((address) => {
    const read = (name: string) => readFileSync(join(folder, address, name), "utf8").trim();
    try {
      const vendor = CLASSES.test(read("class")) ? VENDORS[read("vendor")] : undefined;
      if (vendor === undefined) return [];
      const driver = driverOf(join(folder, address));
      const driverVersion = driver && moduleVersion(driver, sys);
      return {
        vendor,
        address,
        ...(driver && { driver }),
        ...(driverVersion && { driverVersion }),
      };
    } catch {
      return []; // It was unplugged just now.
    }
  });
}

/** A GPU for people, e.g. `AMD (0000:03:00.0, driver amdgpu)`. */
export function gpuText({ vendor, address, driver, driverVersion = "" }: SeenGpu): string {
  const words = driver === undefined ? "no driver" : `driver ${driver} ${driverVersion}`.trim();
  return `${vendor} (${address}, ${words})`;
}

/**
 * Whether Linux has a driver for GPUs: one for Vulkan and others (`/dev/dri`), NVIDIA's, AMD's for
 * computing, or Windows' below WSL. Containers may have these without showing the bus.
 */
export function hasGpuDriver(dev = "/dev"): boolean {
  const files = ["nvidia0", "nvidiactl", "kfd", "dxg"];
  if (files.some((name) => existsSync(join(dev, name)))) return true;
  return namesIn(join(dev, "dri")).some((name) => name.startsWith("renderD"));
}

/** The version of NVIDIA's driver in the kernel; undefined if there is none. */
export function nvidiaDriver(): string | undefined {
  const version = moduleVersion("nvidia", "/sys");
  if (version !== undefined) return version;
  const file = "/proc/driver/nvidia/version";
  if (!existsSync(file)) return undefined;
  return /Kernel Module.*?\s(\d+\.[\d.]+)\s/.exec(readFileSync(file, "utf8"))?.[1];
}

function driverOf(device: string): string | undefined {
  try {
    return basename(readlinkSync(join(device, "driver")));
  } catch {
    return undefined; // No driver has taken it.
  }
}

function moduleVersion(name: string, sys: string): string | undefined {
  try {
    return readFileSync(join(sys, "module", name, "version"), "utf8").trim();
  } catch {
    return undefined; // It is not loaded, or part of the kernel.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // Another system, or a container that hides it.
  }
}
