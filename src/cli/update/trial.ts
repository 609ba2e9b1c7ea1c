import { errorMessage } from "../../lib/errormessage.ts";
import { CliError } from "../process/exit.ts";

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
  const [path] = argv;
  let text: string;
  let code: number;
  try {
    const child = Bun.spawn(argv, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TRIAL_MS_MAX,
    });
    const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
    text = (await Promise.all(texts)).join("").trim();
    code = await child.exited;
  } catch (cause) {
    throw failed(path, errorMessage(cause), cause);
  }
  if (code === 0) return text;
  throw failed(path, `${argv.slice(1, 2)} ends with status ${code}: ${text.slice(-300)}`);
}

function failed(path: string, why: string, cause?: unknown): CliError {
  return new CliError(`The new llmlb does not run here (${path}): ${why}`, undefined, cause);
}
