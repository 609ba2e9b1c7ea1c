/** What differs between the platforms that llmlb is built for. */
export interface Target {
  name: TargetName;
  platform: NodeJS.Platform;
  arch: NodeJS.Architecture;
  /** Folder of the prebuilt libraries in `@node-llama-cpp/<folder>`, and inside it. */
  prebuilt: string;
  /** What `bun build --compile` calls it. */
  compile: Bun.Build.CompileTarget;
  /** The package with the Bun that becomes the base of the executable. */
  bunPackage: string;
  /** Ends the executable's name. */
  suffix: string;
  /** C++ compiler when this target is built on another kind of machine. */
  crossCompiler?: string;
}

export type TargetName = "linux-x64" | "linux-arm64" | "darwin-arm64" | "windows-x64";

/** All of them, by their names. */
export const TARGETS: Record<TargetName, Target> = {
  "linux-x64": {
    name: "linux-x64",
    platform: "linux",
    arch: "x64",
    prebuilt: "linux-x64",
    compile: "bun-linux-x64",
    bunPackage: "@oven/bun-linux-x64",
    suffix: "",
  },
  "linux-arm64": {
    name: "linux-arm64",
    platform: "linux",
    arch: "arm64",
    prebuilt: "linux-arm64",
    compile: "bun-linux-arm64",
    bunPackage: "@oven/bun-linux-aarch64",
    suffix: "",
    crossCompiler: "aarch64-linux-gnu-g++",
  },
  "darwin-arm64": {
    name: "darwin-arm64",
    platform: "darwin",
    arch: "arm64",
    prebuilt: "mac-arm64-metal",
    compile: "bun-darwin-arm64",
    bunPackage: "@oven/bun-darwin-aarch64",
    suffix: "",
  },
  "windows-x64": {
    name: "windows-x64",
    platform: "win32",
    arch: "x64",
    prebuilt: "win-x64",
    compile: "bun-windows-x64",
    bunPackage: "@oven/bun-windows-x64",
    suffix: ".exe",
  },
};

/** The target that runs on this machine. Throws where llmlb does not run. */
export function hostTarget(): Target {
  const { platform, arch } = process;
  const found = Object.values(TARGETS).find((t) => t.platform === platform && t.arch === arch);
  if (found !== undefined) return found;
  const known = Object.keys(TARGETS).join(", ");
  throw new Error(`Building for ${platform}-${arch}: not supported, use one of ${known}.`);
}

/** The target with a name; this machine's own when none is given. Throws for unknown names. */
export function targetOf(name: string | undefined): Target {
  if (name === undefined) return hostTarget();
  const found = Object.values(TARGETS).find((target) => target.name === name);
  if (found !== undefined) return found;
  const known = Object.keys(TARGETS).join(", ");
  throw new Error(`Reading --target: ${name} is unknown, use one of ${known}.`);
}
