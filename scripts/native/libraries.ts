import { cp, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { cmake } from "./compile.ts";
import { fetchPackage, unpack } from "./package.ts";
import { librariesPin } from "./sources.ts";
import type { Target } from "./target.ts";

/** Names of shared libraries; on macOS, llama.cpp's plugins end in .so as well. */
export const LIBRARY = /\.(so|dylib|dll)$/;

export interface UnpackOptions {
  target: Target;
  /** Where the libraries go; empty. */
  folder: string;
  /** Where downloaded packages are kept. */
  packages: string;
}

/** Takes llama.cpp's libraries from the target's pinned package. */
export async function unpackLibraries({ target, folder, packages }: UnpackOptions): Promise<void> {
  const pin = librariesPin(target);
  if (pin === undefined) throw new Error(`native/sources.json: ${target.prebuilt} has no pin.`);
  const archive = await fetchPackage(pin, packages);
  await unpack(archive, `package/bins/${target.prebuilt}/`, folder);
}

export interface CompileOptions {
  target: Target;
  /** The source of llama.cpp. */
  source: string;
  /** Where the libraries go; empty. */
  folder: string;
  log: string;
}

/** Compiles llama.cpp's libraries, with its backends as plugins: where there is no package. */
export async function compileLibraries(options: CompileOptions): Promise<void> {
  const { target, source, folder, log } = options;
  const build = `${folder}.build`;
  const rpath = target.platform === "darwin" ? "@loader_path" : "$ORIGIN";
  const defines = { ...DEFINES, CMAKE_INSTALL_RPATH: rpath };
  await cmake({
    label: `building llama.cpp for ${target.name}`,
    target,
    source,
    build,
    defines,
    log,
  });
  // To link against a .dll, Windows needs its .lib.
  for (const path of await readdir(build, { recursive: true })) {
    if (!LIBRARY.test(path) && !(target.platform === "win32" && path.endsWith(".lib"))) continue;
    await cp(join(build, path), join(folder, basename(path)));
  }
  await rm(build, { recursive: true });
}

const DEFINES = {
  CMAKE_BUILD_TYPE: "Release",
  CMAKE_PLATFORM_NO_VERSIONED_SONAME: "ON",
  CMAKE_WINDOWS_EXPORT_ALL_SYMBOLS: "ON",
  CMAKE_BUILD_WITH_INSTALL_RPATH: "ON",
  BUILD_SHARED_LIBS: "ON",
  GGML_BACKEND_DL: "ON",
  GGML_NATIVE: "OFF",
  GGML_CPU_ALL_VARIANTS: "ON",
  GGML_OPENMP: "OFF",
  GGML_METAL_EMBED_LIBRARY: "ON",
  LLAMA_BUILD_COMMON: "ON",
  LLAMA_BUILD_TESTS: "OFF",
  LLAMA_BUILD_TOOLS: "OFF",
  LLAMA_BUILD_EXAMPLES: "OFF",
  LLAMA_BUILD_SERVER: "OFF",
  LLAMA_BUILD_APP: "OFF",
  LLAMA_BUILD_UI: "OFF",
  LLAMA_OPENSSL: "OFF",
};
