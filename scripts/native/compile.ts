import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Progress } from "./progress.ts";
import { runLogged } from "./run.ts";
import { NATIVE } from "./sources.ts";
import { hostTarget, type Target } from "./target.ts";

export interface CMakeOptions {
  /** Shown with the progress. */
  label: string;
  target: Target;
  /** Folder with a CMakeLists.txt. */
  source: string;
  /** Folder for object files, reused by later builds. */
  build: string;
  /** Cache variables, without `-D`. */
  defines: Record<string, string>;
  log: string;
  /** The one thing to build. Default: everything. */
  only?: string;
  /** Runs `cmake --install` afterwards. Default: false. */
  install?: boolean;
}

/** Configures, builds and installs a CMake project, showing how far it is. */
export async function cmake(options: CMakeOptions): Promise<void> {
  const { label, target, source, build, defines, log } = options;
  const progress = new Progress(label);
  const step = (argv: string[], onLine?: (line: string) => void) =>
    runLogged(["cmake", ...argv], {
      cwd: NATIVE,
      log,
      ...(onLine === undefined ? {} : { onLine }),
    });
  try {
    const values = Object.entries(defines).map(([name, value]) => `-D${name}=${cmakePath(value)}`);
    await step(["-S", source, "-B", build, ...generator(), ...toolchain(target), ...values]);
    const parallel = String(availableParallelism());
    const only = options.only === undefined ? [] : ["--target", options.only];
    const argv = ["--build", build, "--config", "Release", "--parallel", parallel, ...only];
    await step(argv, (line) => {
      const done = stepsDone(line);
      if (done !== undefined) progress.update(done);
    });
    if (options.install) await step(["--install", build, "--config", "Release"]);
  } catch (cause) {
    progress.fail();
    throw cause;
  }
  progress.done();
}

/** CMake reads a backslash as an escape, also in the paths of Windows. */
function cmakePath(value: string): string {
  return process.platform === "win32" ? value.replaceAll("\\", "/") : value;
}

/** How far a build is by a line of Ninja (`[3/80] …`) or make (`[ 12%] …`), from 0 to 1. */
export function stepsDone(line: string): number | undefined {
  const ninja = /^\[(\d+)\/(\d+)\]/.exec(line);
  if (ninja !== null) return Number(ninja[1]) / Math.max(1, Number(ninja[2]));
  const make = /^\[ *(\d+)%\]/.exec(line);
  return make === null ? undefined : Number(make[1]) / 100;
}

/** Ninja where it is installed; on Windows, CMake's default finds the compiler without a set-up. */
function generator(): string[] {
  if (process.platform === "win32") return [];
  return Bun.which("ninja") === null ? [] : ["-G", "Ninja"];
}

function toolchain(target: Target): string[] {
  if (target.name === hostTarget().name) return [];
  return [`-DCMAKE_TOOLCHAIN_FILE=${join(NATIVE, "toolchains", `${target.name}.cmake`)}`];
}
