import { FIELD_KEYS, type FieldKey, fieldOf } from "./fields.ts";
import type { Settings } from "./settings.ts";

type SettingKey = Exclude<FieldKey, "mmproj">;

/** What settings that were read again change in a process that runs. */
export interface Reload {
  /** What takes effect now. */
  changes: Partial<Settings>;
  /** The names of these. */
  changed: string[];
  /** The names of those that are different, too, but only count after a restart. */
  waiting: string[];
}

/** What is different of the settings that were read now. Pure. */
export function reloadOf(current: Settings, next: Settings): Reload {
  const keys = FIELD_KEYS.filter((key): key is SettingKey => key !== "mmproj");
  const different = keys.filter((key) => !Bun.deepEquals(current[key], next[key]));
  const now = different.filter((key) => fieldOf(key).reload === true);
  return {
    changes: Object.fromEntries(now.map((key) => [key, next[key]])),
    changed: now.map((key) => fieldOf(key).name),
    waiting: different.filter((key) => !now.includes(key)).map((key) => fieldOf(key).name),
  };
}
