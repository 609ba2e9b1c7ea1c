import { dlopen, type Library } from "bun:ffi";

/** The C ABI of native/engine.h. */
const SYMBOLS = {
  llmlb_abi_version: { args: [], returns: "u32" },
  llmlb_build_info: { args: [], returns: "cstring" },
  llmlb_create: {
    args: ["function" /* notify */, "u32" /* threads */, "u32" /* flush_us */],
    returns: "ptr",
  },
  llmlb_load_backends: { args: ["cstring" /* directory */], returns: "void" },
  llmlb_devices: { args: ["ptr" /* out */, "usize" /* capacity */], returns: "usize" },
  llmlb_probe_backend: {
    args: ["cstring" /* path */, "ptr" /* out */, "usize" /* capacity */],
    returns: "usize",
  },
  llmlb_lend: {
    args: [
      "cstring" /* path */,
      "u32" /* threads */,
      "cstring" /* names */,
      "ptr" /* out */,
      "usize" /* capacity */,
    ],
    returns: "usize",
  },
  llmlb_load: {
    args: ["ptr" /* engine */, "ptr" /* argv */, "usize" /* length */],
    returns: "void",
  },
  llmlb_submit: {
    args: [
      "ptr" /* engine */,
      "u64" /* id */,
      "ptr" /* head */,
      "usize" /* head_length */,
      "ptr" /* body */,
      "usize" /* body_length */,
    ],
    returns: "i32",
  },
  llmlb_cancel: { args: ["ptr" /* engine */, "u64" /* id */], returns: "void" },
  llmlb_stalled_ms: { args: ["ptr" /* engine */], returns: "u32" },
  llmlb_drain: {
    args: ["ptr" /* engine */, "ptr" /* out */, "usize" /* capacity */],
    returns: "usize",
  },
  llmlb_destroy: { args: ["ptr" /* engine */], returns: "void" },
} as const;

/** The functions of libllmlb. */
export type NativeLibrary = Library<typeof SYMBOLS>["symbols"];

const ABI_VERSION = 3;

/** Opens libllmlb in a folder. Throws if it is missing, damaged or has another ABI version. */
export function openNative(directory: string): NativeLibrary {
  const { symbols } = dlopen(`${directory}/${libraryFile()}`, SYMBOLS);
  const version = symbols.llmlb_abi_version();
  if (version !== ABI_VERSION) {
    throw new Error(
      `libllmlb in ${directory} has ABI ${version}, not ${ABI_VERSION}: build it again`,
    );
  }
  return symbols;
}

/** File name of libllmlb on this platform. */
function libraryFile(): string {
  if (process.platform === "win32") return "llmlb.dll";
  return process.platform === "darwin" ? "libllmlb.dylib" : "libllmlb.so";
}
