import { renameSync, rmSync, writeFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";

/** Only its owner can read it; a file that is there already would keep its own mode. */
const PRIVATE = { mode: 0o600, flag: "wx", flush: true } as const;

/** Writes a file that only its owner can read; it appears as a whole. Throws if it cannot. */
export function writePrivateFile(path: string, text: string): void {
  const whole = `${path}.new`;
  rmSync(whole, { force: true });
  writeFileSync(whole, text, PRIVATE);
  renameSync(whole, path);
}

/** The same, while others have their turn. */
export async function writePrivateFileLater(path: string, text: string): Promise<void> {
  const whole = `${path}.new`;
  await rm(whole, { force: true });
  await writeFile(whole, text, PRIVATE);
  await rename(whole, path);
}
