import type { SettingView } from "../../../wire/settings.ts";

/** Which settings are shown: by where they come from, or all that somebody has set. */
export const SOURCES = ["set", "flag", "env", "file", "default"] as const;

export interface SettingFilter {
  search: string;
  source: string;
}

/** Settings of one heading of the help. */
export interface SettingGroup {
  name: string;
  settings: SettingView[];
}

/**
 * The settings that fit, by their groups, in the order in which they came. Each word of a search
 * has to stand in the name, the sentence (`helpOf` has the reader's), the flag, the variable, the
 * value or where it comes from.
 */
export function chosenSettings(
  settings: readonly SettingView[],
  { search, source }: SettingFilter,
  helpOf: (setting: SettingView) => string,
): SettingGroup[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const groups = new Map<string, SettingView[]>();
  for (const setting of settings) {
    const { name, flags, variable, text, from, group } = setting;
    if (!isFrom(setting, source)) continue;
    const all = [name, flags ?? "", variable, text, from, helpOf(setting)].join("\n").toLowerCase();
    if (!words.every((word) => all.includes(word))) continue;
    groups.set(group, [...(groups.get(group) ?? []), setting]);
  }
  return Array.from(groups, ([name, members]) => ({ name, settings: members }));
}

function isFrom({ source: from }: SettingView, source: string): boolean {
  if (source === "set") return from !== "default";
  return !SOURCES.some((one) => one === source) || from === source;
}
