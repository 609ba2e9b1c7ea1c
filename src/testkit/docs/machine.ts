import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandLine } from "../command.ts";
import { Program, StartFailure } from "../program.ts";
import type { PageNetwork } from "./network.ts";

/** Commands of pages that are never run: what they do outlives the test, or is not here. */
const STRANGERS =
  "sudo docker podman kubectl helm systemctl launchctl brew winget apt apt-get snap npm npx " +
  "pip pipx ollama claude codex opencode aider goose git ssh scp rsync";
const BLOCK_MS_MAX = 120_000;

/** What came of a script. */
export interface ScriptResult {
  code: number;
  /** Both outputs, as on a terminal, with the page's own addresses. */
  output: string;
  /** The line of the script that failed, from 1; 0 if none did. */
  failedLine: number;
}

/**
 * A machine that a page is about: a home, a shell whose variables and folder last from block to
 * block, and the llmlb that serves there. `llmlb` is the program itself; where it would serve, it
 * comes back once it is ready, and ends the one that served on this machine before.
 */
export class PageMachine {
  readonly home: string;
  readonly #name: string;
  readonly #network: PageNetwork;
  readonly #env: Record<string, string>;
  readonly #door: ReturnType<typeof Bun.serve>;
  #program: Program | undefined;

  constructor(folder: string, name: string, network: PageNetwork, env: Record<string, string>) {
    this.home = join(folder, name);
    this.#name = name;
    this.#network = network;
    mkdirSync(join(this.home, ".try/bin"), { recursive: true });
    this.#door = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      fetch: async (request) => this.#serve(await request.text()),
    });
    // As on a terminal.
    writeFileSync(join(this.home, ".curlrc"), "no-progress-meter\n");
    const path = `${join(this.home, ".try/bin")}:${process.env.PATH}`;
    // Commands that find no server of this home look here, not at one that is no part of the page.
    const LLMLB_PORT = String(network.port(name, 32768));
    this.#env = { PATH: path, HOME: this.home, LANG: "C.UTF-8", LLMLB_PORT, ...env };
    this.#command("llmlb", llmlbScript(`http://127.0.0.1:${this.#door.port}`));
    const refusal = '#!/bin/sh\necho "$0 is not run here: mark the block" >&2\nexit 97\n';
    for (const stranger of STRANGERS.split(" ")) this.#command(stranger, refusal);
  }

  /** Writes a file of the page; `~/` is the home, a name alone lies in the shell's folder. */
  write(path: string, content: string | Uint8Array): void {
    const place = path.startsWith("~/")
      ? join(this.home, path.slice(2))
      : join(this.#folder(), path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, content);
  }

  /** Runs a script, in bash, to its end or its first command that fails. */
  async run(script: string): Promise<ScriptResult> {
    const place = (name: string) => join(this.home, ".try", name);
    writeFileSync(place("block.sh"), script);
    writeFileSync(place("run.sh"), SHELL);
    rmSync(place("failed"), { force: true });
    const child = Bun.spawn(["bash", place("run.sh")], {
      env: { ...this.#env, PWD: this.#folder() },
      cwd: this.#folder(),
      stdio: ["ignore", "ignore", "ignore"],
      timeout: BLOCK_MS_MAX,
    });
    const code = await child.exited;
    const failed = existsSync(place("failed")) ? readFileSync(place("failed"), "utf8") : "0";
    const printed = readFileSync(place("output"), "utf8").replaceAll(this.home, "~");
    return { code, output: this.#network.toPage(printed, this.#name), failedLine: Number(failed) };
  }

  /** Ends what runs here. */
  async kill(): Promise<void> {
    await this.#program?.kill();
    await this.#door.stop(true);
  }

  #folder(): string {
    const place = join(this.home, ".try/folder");
    return existsSync(place) ? readFileSync(place, "utf8").trim() : this.home;
  }

  #command(name: string, script: string): void {
    const place = join(this.home, ".try/bin", name);
    writeFileSync(place, script);
    chmodSync(place, 0o755);
  }

  /** Starts a server as the wrapper `llmlb` was called: folder, arguments and environment. */
  async #serve(call: string): Promise<Response> {
    const [cwd = "", count = "0", ...rest] = call.split("\0");
    const given = rest.slice(0, Number(count));
    const variables = rest.slice(Number(count)).filter((one) => one.includes("="));
    const env = Object.fromEntries(variables.map((one) => splitOnce(one)));
    const [word = ""] = given;
    const isWord = word === "balancer" || word === "node";
    const mode = isWord ? word : modeOf(given);
    const args = withoutMode(isWord || word === "serve" ? given.slice(1) : given);
    const { args: local, access } = onLoopback(args);
    const port = (number: number) => String(this.#network.port(this.#name, number));
    const ports = ["--port", port(mode === "node" ? 32769 : 32768)];
    if (mode === "standalone") ports.push("--node-port", port(32769));
    try {
      await this.#program?.stop();
      this.#program = await Program.start({
        ...{ mode, cwd, home: join(this.home, ".llmlb"), untilReady: mode !== "balancer" },
        args: [...ports, ...local],
        env: { ...access, ...env },
      });
      return new Response(`0\n${this.#program.printed}`);
    } catch (error) {
      this.#program = undefined;
      return new Response(failureOf(error));
    }
  }
}

/** The exit status of a start that failed, and below it what it printed for people. */
function failureOf(error: unknown): string {
  if (!(error instanceof StartFailure) || error.code === null) return `70\n${error}`;
  const printed = error.lines.filter((line) => !line.startsWith("{"));
  return [error.code, ...(printed.length > 0 ? printed : error.lines), ""].join("\n");
}

function modeOf(args: string[]): "standalone" | "balancer" | "node" {
  const mode = args[args.indexOf("--mode") + 1];
  return args.includes("--mode") && (mode === "node" || mode === "balancer") ? mode : "standalone";
}

/** The mode is a word before the arguments, as `Program` has it. */
function withoutMode(args: string[]): string[] {
  const at = args.indexOf("--mode");
  return at === -1 ? args : args.toSpliced(at, 2);
}

/** No test listens where other machines can reach it: keys are asked for as if they could. */
function onLoopback(args: string[]) {
  const at = args.findIndex((arg) => arg === "--host" || arg === "-H");
  const host = args[at + 1] ?? "";
  if (at === -1 || host.startsWith("127.")) return { args, access: {} };
  return { args: args.with(at + 1, "127.0.0.1"), access: { LLMLB_ACCESS: "required" } };
}

function splitOnce(variable: string): [string, string] {
  const at = variable.indexOf("=");
  return [variable.slice(0, at), variable.slice(at + 1)];
}

/** Keeps the shell's variables and folder for the next script, and where this one failed. */
const SHELL = `set -Eeo pipefail
try=$HOME/.try
exec > "$try/output" 2>&1
if [ -f "$try/variables" ]; then . "$try/variables"; fi
trap 'code=$?; declare -px > "$try/variables"; pwd > "$try/folder"; exit $code' EXIT
trap 'echo "$LINENO" > "$try/failed"' ERR
. "$try/block.sh"
`;

/** Runs the program; what would serve is started by the test, which ends it, too. */
function llmlbScript(door: string): string {
  const program = commandLine([])
    .map((part) => `'${part}'`)
    .join(" ");
  return `#!/bin/bash
for word; do
  case $word in -h|--help|-V|--version|--list-devices) exec ${program} "$@";; esac
done
case "$1" in ""|-*|serve|balancer|node) ;; *) exec ${program} "$@";; esac
{ printf '%s\\0' "$PWD" "$#" "$@"; env -0; } |
  curl -sS --fail-with-body --data-binary @- ${door} |
  { read -r code; cat; exit "\${code:-70}"; }
`;
}
