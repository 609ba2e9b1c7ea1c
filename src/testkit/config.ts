import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FlagValues, loadSettings } from "../config/precedence.ts";

/** The three places settings come from. */
export interface ConfigInput {
  flags?: FlagValues;
  env?: Record<string, string>;
  /** What config.json holds; text is written as it is. */
  config?: unknown;
}

/** Loads settings from a data folder of its own, which is gone afterwards. */
export function loadConfig({ flags = {}, env = {}, config }: ConfigInput) {
  const home = mkdtempSync(join(tmpdir(), "llmlb-config-"));
  try {
    const text = typeof config === "string" ? config : JSON.stringify(config);
    if (config !== undefined) writeFileSync(join(home, "config.json"), text);
    const sources = { flags, env: { LLMLB_HOME: home, ...env }, cwd: "/work dir" };
    return { home, ...loadSettings(sources) };
  } finally {
    rmSync(home, { recursive: true });
  }
}
