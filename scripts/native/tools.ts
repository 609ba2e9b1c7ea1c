import type { Target } from "./target.ts";
import { hostTarget } from "./target.ts";

const CMAKE_VERSION_MIN = "3.16";

/** One thing that the build runs. `packages` names it for each package manager. */
interface Tool {
  name: string;
  /** The first of these that exists is used. */
  commands: string[];
  packages: Record<Installer, string>;
}

type Installer = "apt-get" | "dnf" | "apk" | "pacman" | "zypper" | "brew" | "winget";

const INSTALL: Record<Installer, string> = {
  "apt-get": "sudo apt-get install -y",
  dnf: "sudo dnf install -y",
  apk: "sudo apk add",
  pacman: "sudo pacman -S --needed",
  zypper: "sudo zypper install -y",
  brew: "brew install",
  winget: "winget install",
};

const GIT: Tool = {
  name: "git",
  commands: ["git"],
  packages: {
    "apt-get": "git",
    dnf: "git",
    apk: "git",
    pacman: "git",
    zypper: "git",
    brew: "git",
    winget: "Git.Git",
  },
};

const CMAKE: Tool = {
  name: `CMake ${CMAKE_VERSION_MIN} or newer`,
  commands: ["cmake"],
  packages: {
    "apt-get": "cmake",
    dnf: "cmake",
    apk: "cmake",
    pacman: "cmake",
    zypper: "cmake",
    brew: "cmake",
    winget: "Kitware.CMake",
  },
};

const COMPILER: Tool = {
  name: "a C++ compiler",
  commands: [process.env.CXX ?? "c++", "g++", "clang++"],
  packages: {
    "apt-get": "build-essential",
    dnf: "gcc-c++ make",
    apk: "build-base",
    pacman: "base-devel",
    zypper: "gcc-c++ make",
    brew: "llvm",
    winget: "Microsoft.VisualStudio.2022.BuildTools",
  },
};

/** Throws, naming the command that installs them, when tools that the build needs are missing. */
export async function requireTools(target: Target): Promise<void> {
  const host = hostTarget();
  const missing: Tool[] = [];
  if (Bun.which("git") === null) missing.push(GIT);
  if (!(await cmakeIsNew())) missing.push(CMAKE);
  // On Windows, CMake finds Visual Studio by itself; its compiler is on no search path.
  if (target.name !== host.name) requireCross(target, host);
  else if (host.platform !== "win32" && !COMPILER.commands.some(exists)) missing.push(COMPILER);
  if (missing.length === 0) return;
  const names = missing.map((tool) => tool.name).join(" and ");
  throw new Error(`Building the native library needs ${names}. ${howToInstall(missing)}`);
}

function requireCross(target: Target, host: Target): void {
  const compiler = target.crossCompiler;
  if (compiler === undefined || host.platform !== "linux") {
    throw new Error(`Building for ${target.name} on ${host.name}: run it on such a machine.`);
  }
  if (exists(compiler)) return;
  const install = "sudo apt-get install -y crossbuild-essential-arm64";
  throw new Error(`Building for ${target.name} needs ${compiler}. Install it with: ${install}`);
}

function howToInstall(missing: Tool[]): string {
  if (process.platform === "darwin" && missing.every((tool) => tool !== CMAKE)) {
    return "Install them with: xcode-select --install";
  }
  const installer = installers().find(exists);
  if (installer === undefined) return "Install them and try again.";
  const packages = [...new Set(missing.map((tool) => tool.packages[installer]))];
  const commands =
    installer === "winget"
      ? packages.map((name) => `${INSTALL.winget} ${name}`)
      : [`${INSTALL[installer]} ${packages.join(" ")}`];
  const isRoot = process.getuid?.() === 0;
  const text = commands.map((command) => (isRoot ? command.replace(/^sudo /, "") : command));
  return `Install with: ${text.join(" && ")}`;
}

function installers(): Installer[] {
  if (process.platform === "darwin") return ["brew"];
  if (process.platform === "win32") return ["winget"];
  return ["apt-get", "dnf", "apk", "pacman", "zypper"];
}

async function cmakeIsNew(): Promise<boolean> {
  if (!exists("cmake")) return false;
  const text = await new Response(Bun.spawn(["cmake", "--version"]).stdout).text();
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0];
  return version !== undefined && Bun.semver.satisfies(version, `>=${CMAKE_VERSION_MIN}.0`);
}

function exists(command: string): boolean {
  return Bun.which(command) !== null;
}
