/** The exit codes of the program. */
export const EXIT = { ok: 0, error: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command failed for a reason that the user can act on; only the message is printed. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode = EXIT.error, cause?: unknown) {
    super(message, { cause });
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}
