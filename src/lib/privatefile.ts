import { renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a file that only its owner can read; it appears as a whole. Throws if it cannot. */
export function writePrivateFile(path: string, text: string): void {
  const whole = `${path}.new`;
  // One that is there already would keep its own mode.
  rmSync(whole, { force: true });
  writeFileSync(whole, text, { mode: 0o600, flag: "wx", flush: true });
  renameSync(whole, path);
}
