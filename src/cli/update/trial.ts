import { errorMessage } from "../../lib/errormessage.ts";
import { CliError } from "../process/exit.ts";
import { runCommand } from "../process/runcommand.ts";

const TRIAL_MS_MAX = 60_000;

interface TrialOptions {
  path: string;
  /** The data folder whose settings it has to be able to read. */
  home: string;
}

/**
 * Lets a program tell its version and read the settings, before it takes anybody's place. Throws
 * `CliError` with what it said if it cannot; returns its version.
 */
export async function tryProgram({ path, home }: TrialOptions): Promise<string> {
  const said = await run([path, "--version"]);
  const version = /^llmlb (\S+) \(/.exec(said)?.[1];
  if (version === undefined) throw failed(path, `it says of itself: ${said.slice(0, 200)}`);
  await run([path, "config", "--json", "--home", home]);
  return version;
}

async function run(argv: [string, ...string[]]): Promise<string> {
  const [path, word] = argv;
  const { code, output } = await runCommand(argv, TRIAL_MS_MAX).catch((cause: unknown) => {
    throw failed(path, errorMessage(cause), cause);
  });
  const text = output.trim();
  if (code === 0) return text;
  throw failed(path, `${word} ends with status ${code}: ${text.slice(-300)}`);
}

function failed(path: string, why: string, cause?: unknown): CliError {
  return new CliError(`The new llmlb does not run here (${path}): ${why}`, undefined, cause);
}
