import type { Configuration } from "../../config/precedence.ts";
import { reloadOf } from "../../config/reload.ts";
import type { Settings } from "../../config/settings.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { LogBook } from "../../lib/logbook.ts";

interface SettingsReloadParts {
  /** Those in effect; what can change while it runs is changed in them. */
  configuration: Pick<Configuration, "settings" | "origins">;
  /** Reads them again, from flags, environment and file. Throws `ConfigError`. */
  read(): Configuration;
  book: LogBook;
  /** Is told what has changed in them. */
  onChange(changes: Partial<Settings>): void;
}

/**
 * Reads the settings again and puts those in effect that can change while it runs; others are told
 * in the log. With a file that is wrong, all stay as they were. Never throws.
 */
export function reloadSettings(parts: SettingsReloadParts): void {
  const { configuration, read, book, onChange } = parts;
  const { settings, origins } = configuration;
  const { log } = book;
  let next: Configuration;
  try {
    next = read();
  } catch (cause) {
    const advice = "The settings before it still hold.";
    log.warn({ reason: errorMessage(cause), advice }, "serve.settings_not_reloaded");
    return;
  }
  const { changes, changed, waiting } = reloadOf(settings, next.settings);
  Object.assign(settings, changes);
  for (const key of Object.keys(changes) as (keyof Settings)[]) origins[key] = next.origins[key];
  if (changes.logLevel !== undefined) book.setLevel(changes.logLevel);
  if (changed.length > 0) onChange(changes);
  const later = waiting.length === 0 ? {} : { waiting, advice: "They count after llmlb restart." };
  log.info({ changed, ...later }, "serve.settings_reloaded");
}
