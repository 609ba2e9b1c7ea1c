import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfCommand } from "../lib/childprocess.ts";

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
}

/** A data folder of its own, removed by `using`. */
export function temporaryHome(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "llmlb-cli-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts the program as a user would. */
export function startProgram(args: string[], { home, stdin = "", env = {} }: RunOptions) {
  return Bun.spawn(selfCommand(args), {
    env: { PATH: "/usr/bin:/bin", HOME: home, LLMLB_HOME: home, ...env },
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs the program to its end. */
export async function runProgram(args: string[], options: RunOptions): Promise<RunResult> {
  const child = startProgram(args, options);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** Waits until `probe` gives a value; throws after `limitMs`. */
export async function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  limitMs = 15_000,
): Promise<T> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > endsAt) throw new Error(`nothing came within ${limitMs} ms`);
    await Bun.sleep(25);
  }
}
