import { CliError, EXIT } from "../process/exit.ts";

/**
 * Reads a secret from standard input, for a flag whose value is `-`: all users of a machine see the
 * arguments of a process. Throws `CliError` if nothing comes.
 */
export async function secretFromStdin(flag: string, what: string): Promise<string> {
  if (process.stdin.isTTY === true) process.stderr.write(`${what}, then Enter and Ctrl-D: `);
  const secret = (await Bun.stdin.text()).trim();
  if (secret !== "") return secret;
  throw new CliError(`${flag} -: nothing came on standard input`, EXIT.usage);
}
