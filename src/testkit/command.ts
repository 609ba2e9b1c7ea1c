import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { programCommand } from "../lib/childprocess.ts";

/** What a finished run of the program left. */
export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  home: string;
  /** Piped to the program; nothing when absent. */
  stdin?: string;
  env?: Record<string, string>;
  /** Most files and connections that it may have open. Default: as many as this process. */
  files?: number | undefined;
  /** The folder it is started in. Default: this process's own. */
  cwd?: string | undefined;
}

/** A data folder of its own, removed by `using`; its path is short, as sockets live in it. */
export function temporaryHome(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "llmlb-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The command line of the program: of the executable in `LLMLB_BIN`, or of the source. */
export function commandLine(args: string[]): string[] {
  const binary = process.env.LLMLB_BIN;
  return binary === undefined || binary === "" ? programCommand(args) : [resolve(binary), ...args];
}

/** Starts the program as a user would. */
export function startProgram(
  args: string[],
  { home, stdin = "", env = {}, files, cwd }: RunOptions,
) {
  const limited = files === undefined ? [] : ["sh", "-c", `ulimit -n ${files}; exec "$0" "$@"`];
  return Bun.spawn([...limited, ...commandLine(args)], {
    env: { PATH: process.env.PATH ?? "", HOME: home, LLMLB_HOME: home, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs the program to its end. */
export function runProgram(args: string[], options: RunOptions): Promise<RunResult> {
  return runResultOf(startProgram(args, options));
}

/** What a program leaves that was started with pipes for its outputs. */
export async function runResultOf(
  child: Bun.Subprocess<Bun.Spawn.Writable, "pipe", "pipe">,
): Promise<RunResult> {
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}
