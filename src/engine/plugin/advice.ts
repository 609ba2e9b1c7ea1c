import type { PluginName } from "./pin.ts";

/** The oldest driver of NVIDIA that CUDA 13 runs on. Source: CUDA 13.0's release notes. */
const NVIDIA_DRIVER_MIN = 580;

/** What the host lacks if a library cannot be opened, and where it comes from. */
const LIBRARIES: [pattern: RegExp, words: string][] = [
  [/^libcuda\.so/, "NVIDIA's driver is missing (libcuda.so.1): install it"],
  [
    /^libcu(?:dart|blas|blasLt)\.so/,
    "CUDA 13's runtime libraries are missing: install the package cuda-libraries-13-0 of NVIDIA's \
repository, and see that the loader finds them (ldconfig, or LD_LIBRARY_PATH)",
  ],
  [
    /^libvulkan\.so/,
    "the Vulkan loader is missing: install the package libvulkan1 (Debian, Ubuntu), vulkan-loader \
(Fedora) or vulkan-icd-loader (Arch)",
  ],
];

/** What to do about the loader's words, e.g. `libvulkan.so.1: cannot open shared object file…`. */
export function loaderAdvice(reason: string): string {
  const [library = ""] = reason.split(":", 1);
  const known = LIBRARIES.find(([pattern]) => pattern.test(library));
  return known === undefined ? reason : `${known[1]} (${reason})`;
}

/** Why a backend that can be loaded finds no device. `driver` is the version of NVIDIA's. */
export function noDeviceAdvice(name: PluginName, driver: string | undefined): string {
  if (name === "vulkan") {
    return "no driver has a GPU for Vulkan: install mesa-vulkan-drivers (AMD, Intel) or NVIDIA's \
driver; in a container, give it the GPU (/dev/dri)";
  }
  if (driver !== undefined && Number.parseInt(driver, 10) < NVIDIA_DRIVER_MIN) {
    return `NVIDIA's driver ${driver} is too old: CUDA 13 needs ${NVIDIA_DRIVER_MIN} or newer`;
  }
  return "NVIDIA's driver shows no GPU that can be used: see nvidia-smi; a container must be given \
the GPU";
}
