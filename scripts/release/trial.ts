import { join } from "node:path";
import { errorMessage } from "../../src/lib/errormessage.ts";
import { ROOT } from "../native/sources.ts";
import { emulationFor } from "../smoke/emulation.ts";
import { releaseFiles, type Variant } from "./files.ts";

/**
 * Runs the smoke test on executables of a release; on one for another processor where QEMU is
 * installed. Returns what was not tried, and why. Throws at the first that fails.
 */
export async function tryExecutables(
  variants: readonly Variant[],
  { out, version }: { out: string; version: string },
): Promise<string[]> {
  const notTried: string[] = [];
  for (const { name } of variants) {
    const path = join(out, releaseFiles(version).executables[name]);
    const obstacle = await obstacleTo(path);
    if (obstacle !== undefined) {
      notTried.push(obstacle);
      continue;
    }
    const command = [process.execPath, join(ROOT, "scripts/smoke.ts"), path];
    const child = Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"] });
    if ((await child.exited) !== 0) throw new Error(`Trying ${path}: it failed, see above.`);
  }
  return notTried;
}

async function obstacleTo(path: string): Promise<string | undefined> {
  try {
    await emulationFor(path);
    return undefined;
  } catch (cause) {
    return errorMessage(cause);
  }
}
