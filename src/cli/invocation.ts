import type { ExitCode } from "./process/exit.ts";

/** One run of the program, as its commands see it. */
export interface Invocation {
  /** Arguments meant for llama-server; undefined if there are none and no `--`. */
  engineArgs: string[] | undefined;
  /** Exit code of the program; the command that runs sets it. */
  exitCode: ExitCode;
}
