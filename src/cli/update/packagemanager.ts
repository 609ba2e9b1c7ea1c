import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CliError } from "../process/exit.ts";

/** Below the folder that `bin/llmlb` is in; a package writes into it how it is updated. */
const MARKER = "share/llmlb/managed";
const COMMAND_CHARS_MAX = 200;

/**
 * The command that updates a program which a package has put there; undefined: no package has.
 *
 * | the program                                  | command                                  |
 * |----------------------------------------------|------------------------------------------|
 * | has `../share/llmlb/managed` (deb, Homebrew, | what stands in the first line of it      |
 * | images of containers)                        |                                          |
 * | lies in winget's folders                     | winget's, which has no place for a file  |
 */
export function packageCommand(program: string): string | undefined {
  if (/[\\/]WinGet[\\/](Packages|Links)[\\/]/i.test(program)) return "winget upgrade llmlb.llmlb";
  const [line = ""] = readMarker(join(dirname(dirname(program)), MARKER)).split("\n");
  const command = line.trim().slice(0, COMMAND_CHARS_MAX);
  return command === "" ? undefined : command;
}

function readMarker(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // There is none, or none that this user may read.
  }
}

/** Throws `CliError` where a package manager changes the program. */
export function requireUnmanaged(program: string): void {
  const command = packageCommand(program);
  if (command === undefined) return;
  throw new CliError(`${program} belongs to a package, which is updated with: ${command}`);
}
